// What organizers have granted to teams on top of their limits: an item of each team in the table of what teams spend, which
// `mlapi grant` changes. It is looked at again after a few seconds.

import { POT } from "./accounts.mjs";

const KEPT_SECONDS = 5;
const RATE = "minute"; // the period of limits that no grant raises

// The grants in a table: `read` reads that of a team, `{tokens, nanodollars}` as far as there are some; `now` returns the
// seconds since the epoch.
export class Grants {
    #read;
    #now;
    #kept = new Map(); // by team

    constructor(read, now = () => Date.now() / 1000) {
        this.#read = read;
        this.#now = now;
    }

    // Returns the limits of a team's calls with what it has been granted; the pot and rates stay as they are.
    async raise(limits, team) {
        if (!limits.some(isRaisable)) return limits;
        const grant = await this.#find(team);
        return limits.map((limit) => (isRaisable(limit) ? { ...limit, most: limit.most + (grant[limit.unit] ?? 0) } : limit));
    }

    async #find(team) {
        const kept = this.#kept.get(team);
        if (kept && this.#now() < kept.until) return kept.grant;
        const grant = await this.#read(team);
        this.#kept.set(team, { grant, until: this.#now() + KEPT_SECONDS });
        return grant;
    }
}

const isRaisable = ({ owner, period }) => owner !== POT && period !== RATE;
