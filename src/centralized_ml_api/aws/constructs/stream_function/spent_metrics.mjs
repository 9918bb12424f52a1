// Tells CloudWatch what a call has used: a line of the log in its embedded metric format, for the dashboard. That takes no
// other permission than to write the log.
//
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format.html

import { inDollars } from "./refusals.mjs";

const NAMESPACE = "CentralizedMlApi"; // monitoring.py draws its metrics
const METRICS = [{ Name: "Tokens", Unit: "Count" }, { Name: "UsDollars", Unit: "None" }];

// Writes the line by itself: `console` would put the time before it, and CloudWatch reads JSON alone.
export function tellSpent(team, { tokens, nanodollars }) {
    const directive = { Namespace: NAMESPACE, Dimensions: [["FunctionName", "Team"]], Metrics: METRICS };
    const document = {
        _aws: { Timestamp: Date.now(), CloudWatchMetrics: [directive] },
        FunctionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
        Team: team,
        Tokens: tokens,
        UsDollars: inDollars(nanodollars),
    };
    process.stdout.write(`${JSON.stringify(document)}\n`);
}
