// Why a call is given up: the model says nothing, the caller left, or Lambda's own time is nearly over.

export const IDLE = "idle";
export const LEFT = "left";
export const OVER = "over";

const LAST_WORD_MILLISECONDS = 2000; // to send the error that says so

export class Watch {
    #controller = new AbortController();
    #idleMilliseconds;
    #idle;
    #over;

    constructor(idleSeconds, remainingMilliseconds) {
        this.reason = null;
        this.#idleMilliseconds = idleSeconds * 1000;
        this.#over = setTimeout(
            () => this.#giveUp(OVER),
            Math.max(0, remainingMilliseconds - LAST_WORD_MILLISECONDS),
        );
    }

    // Ends the call to the model; the SDK closes the connection.
    get signal() {
        return this.#controller.signal;
    }

    // From now on the model is waited for.
    expect() {
        clearTimeout(this.#idle);
        this.#idle = setTimeout(() => this.#giveUp(IDLE), this.#idleMilliseconds);
    }

    // It spoke; a caller that reads slowly is not its silence.
    heard() {
        clearTimeout(this.#idle);
    }

    leave() {
        this.#giveUp(LEFT);
    }

    stop() {
        clearTimeout(this.#idle);
        clearTimeout(this.#over);
    }

    #giveUp(reason) {
        this.reason ??= reason;
        this.#controller.abort();
    }
}
