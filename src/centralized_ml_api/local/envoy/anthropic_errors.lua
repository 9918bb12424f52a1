-- Gives errors the shape of Anthropic's API, whoever made them: Envoy, the admission service or a model server.
-- These precede this script: `TYPES`, from statuses to types of errors; `CALLER_ERROR` and `SERVER_ERROR`, the types
-- of other statuses; `REQUEST_ID`, the name of a header; and the function of `json_strings.lua`.

local LONGEST = 2000

-- Returns the JSON string that follows the first key `message`, as it is written but without its quotes.
local function find_message(text)
  local start = text:match('"message"%s*:%s*"()')
  local found = start and find_closing_quote(text, start)
  return found and text:sub(start, found - 1)
end

-- Returns what Anthropic's API says of a prompt that is too long: agents look for these words, to shorten it.
local function find_excess(text)
  local tokens, most = text:match('"n_prompt_tokens"%s*:%s*(%d+)'), text:match('"n_ctx"%s*:%s*(%d+)')
  return tokens and most and "prompt is too long: " .. tokens .. " tokens > " .. most .. " maximum"
end

-- Returns text as the inside of a JSON string. It may be anything: what is not printable ASCII becomes a blank.
local function escape(text)
  return (text:sub(1, LONGEST):gsub("[^ -~]", " "):gsub('["\\]', "\\%0"))
end

function envoy_on_response(response_handle)
  local headers = response_handle:headers()
  local request_id = headers:get("x-request-id")
  if request_id then headers:replace(REQUEST_ID, request_id) end
  local status = tonumber(headers:get(":status"))
  if status < 400 then return end
  local body = response_handle:body(true)
  if body:length() == 0 then return end
  headers = response_handle:headers()  -- waiting for the body invalidates earlier headers
  local text = body:getBytes(0, body:length())
  if text:find('"type"%s*:%s*"error"') then return end  -- a server's own, in this shape already
  local kind = TYPES[status] or (status < 500 and CALLER_ERROR or SERVER_ERROR)
  local response = string.format(
    '{"type": "error", "error": {"type": "%s", "message": "%s"}, "request_id": "%s"}',
    kind, find_excess(text) or find_message(text) or escape(text), request_id or "")
  headers:replace("content-type", "application/json")
  headers:replace("content-length", body:setBytes(response))
end
