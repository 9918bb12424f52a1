// Asks the entries of a call in turn, where one fails: the first, then those of its `fallback`.

const TOO_MANY_REQUESTS = 429;
const FIRST_SERVER_ERROR = 500;

// Calls `ask` with one name after the other, until one answers. It returns null for an answer, or else a failure:
// `status`, that of the error; `isFree`, whether it is certain that nobody is paid for it and that the caller has got
// nothing; `isUntaken`, whether the entry has no place for something in the body; `isForNow`, whether no model has got the
// call, and a later one may be taken.
//
// The next one is asked where an entry is too busy or fails, and only if that is free: a model that is silent, or whose
// connection broke, may have worked. One that cannot take the body is passed over: the first one has.
//
// Returns the failure that callers are told, with the `name` of its entry; null for an answer. Its `isForNow` holds for
// all entries that were asked. `goOn` hears of each failure after which another one is asked.
export async function askInTurn(names, ask, goOn = () => {}) {
    let told = null;
    let wasTaken = false;
    for (const [index, name] of names.entries()) {
        const failure = await ask(name);
        if (failure === null) return null;
        const isPassedOver = told !== null && failure.isUntaken;
        if (!isPassedOver) told = { ...failure, name };
        wasTaken ||= !failure.isForNow && !failure.isUntaken;
        const isTransient = failure.status === TOO_MANY_REQUESTS || failure.status >= FIRST_SERVER_ERROR;
        const isOver = index === names.length - 1 || !failure.isFree || !(isTransient || isPassedOver);
        if (isOver) break;
        goOn(failure);
    }
    return told && { ...told, isForNow: told.isForNow && !wasTaken };
}
