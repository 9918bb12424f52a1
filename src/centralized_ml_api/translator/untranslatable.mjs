// What cannot be translated is refused by the name of its field: left out silently, it would change the meaning.

export class Untranslatable extends Error {
    constructor(field, message) {
        super(message);
        this.name = "Untranslatable";
        this.field = field;
    }
}

// Throws Untranslatable for a field that the model's server has no equivalent of.
export function refuseField(field, why = "this model's server has nothing like it") {
    throw new Untranslatable(field, `'${field}' cannot be translated: ${why}.`);
}

// Throws Untranslatable for a field that is malformed.
export function refuseValue(field, expected) {
    throw new Untranslatable(field, `'${field}' must be ${expected}.`);
}
