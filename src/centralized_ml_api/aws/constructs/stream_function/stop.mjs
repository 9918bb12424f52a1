// A text as it comes, without the white space before it and without all from the first stop sequence on, which
// servers of other APIs leave in.

export class StopCutter {
    #stops;
    #held = "";
    #begun = false;
    #ended = false;

    constructor(stops) {
        this.#stops = stops.filter(Boolean);
    }

    // What of the text may be shown already: all but an end that may be the beginning of a stop sequence.
    push(text) {
        if (this.#ended) return "";
        const all = this.#begun ? this.#held + text : (this.#held + text).trimStart();
        this.#begun ||= all !== "";
        const found = this.#stops.map((stop) => all.indexOf(stop)).filter((index) => index >= 0);
        this.#ended = found.length > 0;
        const shown = this.#ended ? Math.min(...found) : all.length - this.#longestBeginning(all);
        this.#held = this.#ended ? "" : all.slice(shown);
        return all.slice(0, shown);
    }

    end() {
        return this.#held;
    }

    #longestBeginning(text) {
        return Math.max(0, ...this.#stops.map((stop) => beginningAtEnd(text, stop)));
    }
}

function beginningAtEnd(text, stop) {
    for (let length = Math.min(stop.length - 1, text.length); length > 0; length -= 1) {
        if (text.endsWith(stop.slice(0, length))) return length;
    }
    return 0;
}
