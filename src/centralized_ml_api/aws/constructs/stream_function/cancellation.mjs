// Why a call is cancelled: the model is silent, the client disconnected, or Lambda's own time is nearly over.

export const IDLE_TIMEOUT = "idle timeout";
export const CLIENT_DISCONNECTED = "client disconnected";
export const FUNCTION_TIMEOUT = "function timeout";

const LAST_WORD_MILLISECONDS = 2000; // to send the error that says so

export class Cancellation {
    #controller = new AbortController();
    #idleMilliseconds;
    #idleTimer;
    #functionTimer;

    constructor(idleSeconds, remainingMilliseconds) {
        this.reason = null;
        this.#idleMilliseconds = idleSeconds * 1000;
        this.#functionTimer = setTimeout(
            () => this.#cancel(FUNCTION_TIMEOUT),
            Math.max(0, remainingMilliseconds - LAST_WORD_MILLISECONDS),
        );
    }

    // Ends the call to the model; the SDK closes the connection.
    get signal() {
        return this.#controller.signal;
    }

    // The function waits for the model from now on.
    startIdleTimer() {
        clearTimeout(this.#idleTimer);
        this.#idleTimer = setTimeout(() => this.#cancel(IDLE_TIMEOUT), this.#idleMilliseconds);
    }

    // The model answered; a client that reads slowly does not make it silent.
    stopIdleTimer() {
        clearTimeout(this.#idleTimer);
    }

    clientDisconnected() {
        this.#cancel(CLIENT_DISCONNECTED);
    }

    dispose() {
        clearTimeout(this.#idleTimer);
        clearTimeout(this.#functionTimer);
    }

    #cancel(reason) {
        this.reason ??= reason;
        this.#controller.abort();
    }
}
