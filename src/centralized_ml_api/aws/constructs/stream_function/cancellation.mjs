// Cancels calls: because the model is silent, the client disconnected, or the function is about to time out.

export const IDLE_TIMEOUT = "idle timeout";
export const CLIENT_DISCONNECTED = "client disconnected";
export const FUNCTION_TIMEOUT = "function timeout";

const ERROR_MILLISECONDS = 2000; // reserved for sending the error

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
            Math.max(0, remainingMilliseconds - ERROR_MILLISECONDS),
        );
    }

    // Aborts the call to the model: the SDK closes the connection.
    get signal() {
        return this.#controller.signal;
    }

    // Returns what aborts with this one, or after so many milliseconds: for questions that must not take longer.
    within(milliseconds) {
        const signal = AbortSignal.any([this.signal, AbortSignal.timeout(milliseconds)]);
        return { signal, startIdleTimer() {}, stopIdleTimer() {} };
    }

    // Call this when the function begins to wait for the model.
    startIdleTimer() {
        clearTimeout(this.#idleTimer);
        this.#idleTimer = setTimeout(() => this.#cancel(IDLE_TIMEOUT), this.#idleMilliseconds);
    }

    // Call this when the model has sent something, so that a slow client is not mistaken for a silent model.
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
