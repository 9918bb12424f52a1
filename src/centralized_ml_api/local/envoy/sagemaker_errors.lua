-- What SageMaker answers in place of a model, in the one shape of errors. Beside this text stand `ERRORS`, by
-- name {status, type, code, message}, all but the status as they are in JSON, and `RETRY_AFTER`.
-- Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html

local SIMPLE = {b = "\b", f = "\f", n = "\n", r = "\r", t = "\t"}

-- The end of the JSON string that begins before `at`.
local function find_end(text, at)
  while true do
    local from = text:find('["\\]', at)
    if not from or text:sub(from, from) == '"' then return from end
    at = from + 2
  end
end

-- The members of a flat JSON object: numbers as such, strings as they are written, without their quotes.
local function read_members(text)
  local members, at = {}, text:match("^%s*{%s*()")
  while at do
    local key, value = text:match('^"([%w_]+)"%s*:%s*()', at)
    if not key then break end
    local finish
    if text:sub(value, value) == '"' then
      finish = find_end(text, value + 1)
      if not finish then break end
      members[key] = text:sub(value + 1, finish - 1)
    else
      members[key], finish = text:match("^([%w.+-]+)()", value)
      if not finish then break end
      finish = finish - 1
    end
    at = text:match("^%s*,%s*()", finish + 1)
  end
  return members
end

local function encode_utf8(code)
  if code < 0x80 then return string.char(code) end
  local last, rest = string.char(0x80 + code % 64), math.floor(code / 64)
  if code < 0x800 then return string.char(0xC0 + rest) .. last end
  last, rest = string.char(0x80 + rest % 64) .. last, math.floor(rest / 64)
  if code < 0x10000 then return string.char(0xE0 + rest) .. last end
  return string.char(0xF0 + math.floor(rest / 64), 0x80 + rest % 64) .. last
end

-- The text that a JSON string stands for. Escaped backslashes wait as NUL, which no JSON string can hold.
local function unescape(written)
  local text = written:gsub("\\\\", "\0")
  text = text:gsub("\\u([dD][89abAB]%x%x)\\u([dD][c-fC-F]%x%x)", function(high, low)
    return encode_utf8(0x10000 + (tonumber(high, 16) - 0xD800) * 1024 + tonumber(low, 16) - 0xDC00)
  end)
  text = text:gsub("\\u(%x%x%x%x)", function(code) return encode_utf8(tonumber(code, 16)) end)
  text = text:gsub("\\(.)", function(letter) return SIMPLE[letter] or letter end)
  return (text:gsub("%z", "\\"))
end

local function is_throttled(message)
  return message:find("Rate exceeded", 1, true) or message:find("hrottl", 1, true)
end

-- A model that gave no status was too slow, or its container ended.
local function choose_for_model(said)
  local status, message = tonumber(said.OriginalStatusCode) or 0, said.OriginalMessage or said.Message
  if status < 400 or status > 599 then
    local slow = message and message:find("timed out", 1, true)
    return slow and ERRORS.MODEL_TOO_SLOW or ERRORS.MODEL_FAILED, message
  end
  local words = status < 500 and ERRORS.MODEL_REFUSED or ERRORS.MODEL_FAILED
  return {status = status, type = words.type, code = words.code, message = words.message}, message, true
end

-- Which error it is, what it says if not its usual words, and whether that is the model's own answer.
local function choose(status, said)
  local message = said.message or said.Message or ""
  local spoken = message ~= "" and message or nil
  if status == 424 then return choose_for_model(said) end
  if (status == 400 or status == 429) and is_throttled(message) then return ERRORS.TOO_MANY_REQUESTS, spoken end
  if status == 429 then return ERRORS.MODEL_NOT_READY, spoken end
  if status == 400 and message:find("^Endpoint ") and message:find(" not found", 1, true) then
    return ERRORS.MODEL_NOT_READY
  end
  if status == 400 then return ERRORS.REFUSED_BY_SAGEMAKER, spoken end
  if status == 413 then return ERRORS.BODY_TOO_LARGE end
  if status == 500 or status == 530 then return ERRORS.API_FAILED end
  if status == 503 then return ERRORS.MODEL_NOT_READY end
  if status == 504 then return ERRORS.MODEL_TOO_SLOW end
  return ERRORS.NOT_CALLED
end

local function render(error, message, request_id)
  return string.format(
    '{"error": {"message": "%s", "type": "%s", "code": "%s", "request_id": "%s"}}',
    message or error.message, error.type, error.code, request_id)
end

function envoy_on_request(call)
  local headers = call:headers()
  call:streamInfo():dynamicMetadata():set("sagemaker", "request_id", headers:get("x-request-id"))
  headers:remove("x-request-id")
end

function envoy_on_response(call)
  local body = call:body(true)
  local headers = call:headers()  -- after the wait for the body; those of before are no longer good
  local request_id = (call:streamInfo():dynamicMetadata():get("sagemaker") or {}).request_id
  -- What Envoy itself answers bears the id already.
  if not request_id or headers:get("x-request-id") == request_id then return end
  local status = tonumber(headers:get(":status"))
  if status < 300 then return end
  local text = body:getBytes(0, body:length())
  local error, message, own = choose(status, read_members(text))
  if not own then
    call:logWarn("SageMaker answered " .. status .. ": " .. text:sub(1, 1000):gsub("%c", " "))
  end
  local as_it_is = own and message and message:find("^{")
  local answer = as_it_is and unescape(message) or render(error, message, request_id)
  headers:replace(":status", tostring(error.status))
  headers:replace("content-type", "application/json")
  headers:replace("content-length", body:setBytes(answer))
  headers:remove("content-encoding")
  if error.status == 429 or error.status == 503 then headers:replace("retry-after", RETRY_AFTER) end
end
