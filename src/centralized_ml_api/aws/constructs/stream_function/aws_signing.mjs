// Signs requests to AWS with the function's own credentials.
//
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html

import { createHash, createHmac } from "node:crypto";

const ALGORITHM = "AWS4-HMAC-SHA256";

// Returns the headers of a request, the given ones with its signature; `now` is a Date.
//
// Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html (the credentials)
export function signHeaders({ method, url, headers, body, service, region }, now = new Date()) {
    const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret, AWS_SESSION_TOKEN: token } = process.env;
    const time = now.toISOString().replaceAll(/[-:]|\.\d+/g, "");
    const date = time.slice(0, 8);
    const signed = { ...headers, host: url.host, "x-amz-date": time, ...(token && { "x-amz-security-token": token }) };
    const names = Object.keys(signed).sort();
    const canonical = [
        method,
        url.pathname.split("/").map(encode).join("/"),
        "", // no query
        ...names.map((name) => `${name}:${signed[name].trim().replaceAll(/ +/g, " ")}`),
        "",
        names.join(";"),
        hash(body),
    ].join("\n");
    const scope = `${date}/${region}/${service}/aws4_request`;
    const key = [date, region, service, "aws4_request"].reduce(hmac, `AWS4${secret}`);
    const signature = hmac(key, [ALGORITHM, time, scope, hash(canonical)].join("\n")).toString("hex");
    const authorization = `${ALGORITHM} Credential=${id}/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
    return { ...signed, authorization };
}

// Returns where a service of AWS is; a variable may name another place, as AWS's SDKs read it.
//
// Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
export function findServiceUrl(host, region, variable) {
    const suffix = region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
    return process.env[variable] ?? `https://${host}.${region}.${suffix}`;
}

// Encodes a part of a path once more, as every service but S3 signs it.
function encode(part) {
    return encodeURIComponent(part).replaceAll(/[!'()*]/g, (found) => `%${found.charCodeAt(0).toString(16).toUpperCase()}`);
}

function hash(text) {
    return createHash("sha256").update(text).digest("hex");
}

function hmac(key, text) {
    return createHmac("sha256", key).update(text).digest();
}
