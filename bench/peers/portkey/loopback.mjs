// Loaded before the gateway, which listens on every address of the machine: has it listen on loopback alone.
import { Server } from "node:net";

const { listen } = Server.prototype;
Server.prototype.listen = function (where, ...rest) {
  const port = typeof where === "object" ? where.port : where;
  return listen.call(this, { port, host: "127.0.0.1" }, ...rest.filter((each) => typeof each === "function"));
};
