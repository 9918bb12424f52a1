// Names the teams that joined: where other keys have the name of their team, theirs have that of a place, `place:7`. Who has
// which place is in one item of a table, which join_item.py describes.

import { callDynamoDb } from "./dynamodb.mjs";

const PLACE = "place:"; // no team's name begins so
const KEY = { holder: { S: "door" }, span: { S: "now" } };

// The names in a table; without one, nobody joins. `call` calls an operation of DynamoDB.
export class Roster {
    #table;
    #call;
    #names = new Map();

    constructor(table, call) {
        this.#table = table;
        this.#call = call;
    }

    // Returns what a team is called. A team keeps its place, so each is looked up once; where that fails, the name of the
    // place says who it is.
    async nameOf(team) {
        if (!this.#table || !team.startsWith(PLACE)) return team;
        if (!this.#names.has(team)) await this.#load().catch(({ name }) => console.error(`the roster is not read: ${name}`));
        return this.#names.get(team) ?? team;
    }

    async #load() {
        const { Item: item } = await this.#call("GetItem", {
            TableName: this.#table,
            Key: KEY,
            ConsistentRead: true,
            ProjectionExpression: "#names, #places", // the item has the code for joining, too
            ExpressionAttributeNames: { "#names": "names", "#places": "places" },
        });
        if (!item) return; // the deploy has not made it yet
        for (const [team, { N: place }] of Object.entries(item.places.M)) {
            this.#names.set(`${PLACE}${Number(place) + 1}`, item.names.M[team].S);
        }
    }
}

export const roster = new Roster(process.env.JOIN_TABLE, callDynamoDb);
