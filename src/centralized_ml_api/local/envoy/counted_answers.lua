-- Counts the tokens of answers that pass as they are. `token_counts.lua` precedes this script, and before it stand
-- `USAGE`, a name of dynamic metadata; `HELD_BYTES`, the largest response that is held; and `STREAMS`, whether
-- responses pass as they come.

local function count_stream(handle, is_events)
  local rest, seen = "", {}
  for chunk in handle:bodyChunks() do
    local text = rest .. chunk:getBytes(0, chunk:length())
    note_usage(handle, seen, text, is_events)
    rest = keep_rest(text, is_events)
  end
  note_end(handle, seen)
end

function envoy_on_response(response_handle)
  local headers = response_handle:headers()
  local kind, is_counted = declare_encoding(headers), tonumber(headers:get(":status")) < 300
  local is_events = is_counted and note_answer(response_handle, kind)
  if STREAMS then
    if is_counted then count_stream(response_handle, is_events) end
    return
  end
  local seen, is_held = {}, tonumber(headers:get("content-length") or 0) <= HELD_BYTES
  local body = is_held and response_handle:body()
  if not is_counted then return end
  if body then note_usage(response_handle, seen, body:getBytes(0, body:length()), is_events) end
  note_end(response_handle, seen)
end
