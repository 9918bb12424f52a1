-- Rewords a provider's errors, and notes the tokens of its answers. These precede this script: `ERRORS`, from names to
-- {status, type, code, message}, whose strings are escaped for JSON; `BODY` and `HIDES_USAGE`, names of dynamic metadata;
-- `HELD_BYTES`, the largest response that is held; `STREAMS`, whether responses pass as they come; `COUNTS`, whether they
-- have tokens; `KEPT_ID`, a header with the request's id; and the functions of `token_counts.lua` and `json_strings.lua`.

local LONGEST_EVENT = 1048576
local HIDDEN = "(hidden)"

-- What tells of the customer: keys, organizations, projects, users, accounts.
local EIGHT = string.rep("%w", 8)
local SECRETS = {
  "sk%-[%w_%*%.%-]+", "gsk_[%w%*]+", "xai%-[%w%*]+", "hf_[%w%*]+", "fw_[%w%*]+", "AIza[%w_%*%-]+", "Bearer%s+[%w_%*%.%-]+",
  "org[%-_]" .. EIGHT .. "[%w_%-]*", "proj[%-_]" .. EIGHT .. "[%w_%-]*", "user[%-_]" .. EIGHT .. "[%w_%-]*",
  "acct[%-_]" .. EIGHT .. "[%w_%-]*", "project_number:%d+", "projects/[%w_%-]+",
  string.rep("%x", 8) .. "%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-" .. string.rep("%x", 12),
  "arn:aws[%w%-]*:[%w:/_%.%*%-]+", "%f[%w_]" .. string.rep("%d", 12) .. "%f[^%w_]",
}

-- Hides what looks random, or is masked already: words such as `user-provided` and `task-specific` stay.
local function hide_identity(found)
  if found:find("[%d%*/]") or found:find("%l%u") then return HIDDEN end
end

local function hide_secrets(text)
  for _, pattern in ipairs(SECRETS) do text = text:gsub(pattern, hide_identity) end
  return text
end

-- Returns the JSON string after the first `key`, as it is written but without its quotes; nil without one.
local function find_string(text, key)
  local start = text:match('"' .. key .. '"%s*:%s*"()')
  local found = start and find_closing_quote(text, start)
  return found and text:sub(start, found - 1)
end

local function find_message(text)
  return find_string(text, "message") or find_string(text, "Message") or find_string(text, "detail") or find_string(text, "error")
end

local function render(error, message, request_id)
  return string.format(
    '{"error": {"message": "%s", "type": "%s", "code": "%s", "request_id": "%s"}}',
    message or error.message, error.type, error.code, request_id)
end

local function is_usage_alone(event)
  return event:find('"choices"%s*:%s*%[%s*%]') and event:find('"usage"%s*:%s*{')
end

-- Returns complete events without those that have nothing but tokens.
local function drop_usage(events)
  return (events:gsub("data:[^\n]*\n\r?\n", function(event)
    if is_usage_alone(event) then return "" end
  end))
end

-- Returns complete events as callers may read them: without the customer in errors, and, if `hides`, without those that
-- have nothing but tokens.
local function rewrite_events(events, hides)
  if events:find('"error"', 1, true) then
    events = events:gsub("[^\n]+", function(line)
      if line:find('"error"%s*:%s*[{"]') then return hide_secrets(line) end
    end)
  end
  return hides and drop_usage(events) or events
end

-- Passes a stream on as it comes; events, when they are complete.
local function pass_stream(handle, is_events, hides)
  local rest, passed, last, seen = "", "", nil, {}
  for chunk in handle:bodyChunks() do
    local text = rest .. chunk:getBytes(0, chunk:length())
    note_usage(handle, seen, text, is_events)
    if not is_events then
      rest = keep_rest(text)
    else
      local complete = text:match("^.*\n\r?\n()") or 1
      if #text - complete > LONGEST_EVENT or text:find("^data: ?%[DONE%]", complete) then complete = #text + 1 end
      rest, passed, last = text:sub(complete), rewrite_events(text:sub(1, complete - 1), hides), chunk
      chunk:setBytes(passed)
    end
  end
  note_end(handle, seen)
  -- The loop ends while Envoy still has the last chunk, unless trailers end the stream.
  if last and rest ~= "" and not (hides and is_usage_alone(rest)) then
    pcall(last.setBytes, last, passed .. rewrite_events(rest, false))
  end
end

-- Gemini refuses a key with 400.
local function is_refusal_of_key(status, text)
  if status == 401 or status == 403 then return true end
  return status == 400 and (text:find("API_KEY_INVALID", 1, true) or text:find("API key not valid", 1, true))
end

local function answer_error(handle, status, request_id)
  local body = handle:body(true)
  local headers = handle:headers()  -- only now: waiting for the body invalidates earlier headers
  local text = hide_secrets(headers:get("content-encoding") and "" or body:getBytes(0, body:length()))
  local route = handle:streamInfo():routeName()
  handle:logWarn("the provider of " .. route .. " answered " .. status .. ": " .. text:sub(1, 1000):gsub("%c", " "))
  local response
  if is_refusal_of_key(status, text) then
    response = render(ERRORS.PROVIDER_REFUSED_KEY, nil, request_id)
    status = ERRORS.PROVIDER_REFUSED_KEY.status
    headers:remove("retry-after")
  elseif status < 400 then
    response = render(ERRORS.MODEL_FAILED, nil, request_id)
    status = ERRORS.MODEL_FAILED.status
  elseif status == 408 then  -- Bedrock's ModelTimeoutException
    response = render(ERRORS.MODEL_TOO_SLOW, nil, request_id)
    status = ERRORS.MODEL_TOO_SLOW.status
  elseif status ~= 424 and text:find('^%s*{%s*"error"%s*:%s*{') then
    response = text
  else
    if status == 424 then status = ERRORS.MODEL_FAILED.status end  -- Bedrock's ModelErrorException
    local error = status == 429 and ERRORS.TOO_MANY_REQUESTS or status < 500 and ERRORS.MODEL_REFUSED or ERRORS.MODEL_FAILED
    response = render(error, find_message(text), request_id)
  end
  headers:replace(":status", tostring(status))
  headers:replace("content-type", "application/json")
  headers:replace("content-length", body:setBytes(response))
  headers:remove("content-encoding")
end

-- Returns whether the caller must not see the event of tokens. Where one entry among several answers, the tokens must
-- reach the call as a whole.
local function is_usage_hidden(handle, headers)
  local metadata = handle:streamInfo():dynamicMetadata()
  return not metadata:get(ATTEMPT) and ((metadata:get(BODY) or {})[HIDES_USAGE] or headers:get(HIDES_USAGE_HEADER))
end

function envoy_on_response(response_handle)
  local headers = response_handle:headers()
  local request_id = headers:get(KEPT_ID)
  local kind = declare_encoding(headers)
  note_who_answered(response_handle, headers)
  -- Envoy's local replies already have the request ID.
  if not request_id or headers:get("x-request-id") == request_id then return end
  local status = tonumber(headers:get(":status"))
  if status >= 300 then return answer_error(response_handle, status, request_id) end
  local is_events = COUNTS and note_answer(response_handle, kind)
  local hides = is_events and is_usage_hidden(response_handle, headers)
  if STREAMS then
    if is_events then headers:remove("content-length") end
    return pass_stream(response_handle, is_events, hides)
  end
  local seen, is_held = {}, tonumber(headers:get("content-length") or 0) <= HELD_BYTES
  local body = is_held and response_handle:body()
  local text = body and body:getBytes(0, body:length())
  if COUNTS then
    if text then note_usage(response_handle, seen, text, is_events) end
    note_end(response_handle, seen)
  end
  if text and is_events then response_handle:headers():replace("content-length", body:setBytes(rewrite_events(text, hides))) end
end
