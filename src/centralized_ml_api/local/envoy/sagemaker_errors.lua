-- Turns SageMaker's error responses into errors of this API. These precede this script: `ERRORS`, from names to
-- {status, type, code, message}, whose strings are escaped for JSON; `RETRY_AFTER`, in seconds; `HELD_BYTES`, the
-- largest response that is held; `COUNTS`, whether responses have tokens; `MARKS`, what SageMaker's messages contain, by
-- meaning; `KEPT_ID`, a header with the request's id; and the functions of `token_counts.lua` and `json_strings.lua`.
-- Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html

local ESCAPES = {b = "\b", f = "\f", n = "\n", r = "\r", t = "\t"}

-- Returns the members of a flat JSON object as texts: strings without their quotes, their escapes unchanged.
local function read_members(text)
  local members, position = {}, text:match("^%s*{%s*()")
  while position do
    local key, value_start = text:match('^"([%w_]+)"%s*:%s*()', position)
    if not key then break end
    local value_end
    if text:sub(value_start, value_start) == '"' then
      value_end = find_closing_quote(text, value_start + 1)
      if not value_end then break end
      members[key] = text:sub(value_start + 1, value_end - 1)
    else
      members[key], value_end = text:match("^([%w.+-]+)()", value_start)
      if not value_end then break end
      value_end = value_end - 1
    end
    position = text:match("^%s*,%s*()", value_end + 1)
  end
  return members
end

-- Returns the UTF-8 bytes of a code point.
local function encode_utf8(code)
  if code < 0x80 then return string.char(code) end
  local last, rest = string.char(0x80 + code % 64), math.floor(code / 64)
  if code < 0x800 then return string.char(0xC0 + rest) .. last end
  last, rest = string.char(0x80 + rest % 64) .. last, math.floor(rest / 64)
  if code < 0x10000 then return string.char(0xE0 + rest) .. last end
  return string.char(0xF0 + math.floor(rest / 64), 0x80 + rest % 64) .. last
end

-- Replaces the escapes of a JSON string. Meanwhile NUL, which no JSON string can contain, stands for a backslash.
local function unescape(escaped)
  local text = escaped:gsub("\\\\", "\0")
  text = text:gsub("\\u([dD][89abAB]%x%x)\\u([dD][c-fC-F]%x%x)", function(high, low)
    return encode_utf8(0x10000 + (tonumber(high, 16) - 0xD800) * 1024 + tonumber(low, 16) - 0xDC00)
  end)
  text = text:gsub("\\u(%x%x%x%x)", function(code) return encode_utf8(tonumber(code, 16)) end)
  text = text:gsub("\\(.)", function(letter) return ESCAPES[letter] or letter end)
  return (text:gsub("%z", "\\"))
end

local function is_throttled(message)
  for _, mark in ipairs(MARKS.throttled) do
    if message:find(mark, 1, true) then return true end
  end
  return false
end

-- Chooses the error for a ModelError. Without a status from the model, it was too slow or its container stopped.
local function choose_model_error(members)
  local status = tonumber(members.OriginalStatusCode) or 0
  local message = members.OriginalMessage or members.Message
  if status < 400 or status > 599 then
    local slow = message and message:find(MARKS.too_slow, 1, true)
    return slow and ERRORS.MODEL_TOO_SLOW or ERRORS.MODEL_FAILED, message
  end
  local error = status < 500 and ERRORS.MODEL_REFUSED or ERRORS.MODEL_FAILED
  return {status = status, type = error.type, code = error.code, message = error.message}, message, true
end

-- Returns the error, SageMaker's or the model's message if there is one, and whether the model sent the response.
local function choose_error(status, members)
  local message = members.message or members.Message or ""
  local own_message = message ~= "" and message or nil
  if status == 424 then return choose_model_error(members) end
  if (status == 400 or status == 429) and is_throttled(message) then return ERRORS.TOO_MANY_REQUESTS, own_message end
  if status == 429 then return ERRORS.MODEL_NOT_READY, own_message end
  local starts = message:find(MARKS.no_endpoint_start, 1, true) == 1
  if status == 400 and starts and message:find(MARKS.no_endpoint, 1, true) then return ERRORS.MODEL_NOT_READY end
  if status == 400 then return ERRORS.REFUSED_BY_SAGEMAKER, own_message end
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

-- Returns whether the response is a model's own that is too large to hold.
local function must_pass(headers)
  local length = tonumber(headers:get("content-length") or 0)
  return tonumber(headers:get(":status")) < 300 and length > HELD_BYTES
end

function envoy_on_response(response_handle)
  local kind = declare_encoding(response_handle:headers())
  if must_pass(response_handle:headers()) then return end
  local body = response_handle:body(true)
  local headers = response_handle:headers()  -- only now: waiting for the body invalidates earlier headers
  local request_id = headers:get(KEPT_ID)
  -- Envoy's local replies already have the request ID.
  if not request_id or headers:get("x-request-id") == request_id then return end
  local status = tonumber(headers:get(":status"))
  if status < 300 and not COUNTS then return end
  local text = body:getBytes(0, body:length())
  if status < 300 then
    local seen = {}
    note_answer(response_handle, kind)
    note_usage(response_handle, seen, text)
    return note_end(response_handle, seen)
  end
  local error, message, is_from_model = choose_error(status, read_members(text))
  if not is_from_model then
    response_handle:logWarn("SageMaker answered " .. status .. ": " .. text:sub(1, 1000):gsub("%c", " "))
  end
  local is_json = is_from_model and message and message:find("^{")
  local response = is_json and unescape(message) or render(error, message, request_id)
  headers:replace(":status", tostring(error.status))
  headers:replace("content-type", "application/json")
  headers:replace("content-length", body:setBytes(response))
  headers:remove("content-encoding")
  if error.status == 429 or error.status == 503 then headers:replace("retry-after", RETRY_AFTER) end
end
