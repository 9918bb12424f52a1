-- Notes how many tokens an answer has, as its server reports them. It needs `USAGE`, the name of dynamic metadata, and
-- `STATE`, the keys of filter state by the name of a note;
-- `OWN_REPLY`, `SERVED_BY`, `UNTAKEN` and `HIDES_USAGE_HEADER`, those of headers: which marks the gateway's own answers,
-- names the entry among several that has answered, tells that none of them has got the call, and that its tokens are to be
-- hidden; `ATTEMPT`, the metadata of a call of one among several; and `UNSENT`, the response flags of calls that reached no
-- server.
-- Of several reports in one answer the largest counts: reports of a stream grow, and a report that an answer quotes
-- cannot hide the true one. A report of nothing is none: the translator's, where a server has not reported, and those of
-- servers that count nothing.

local LONGEST_USAGE, MOST_DIGITS = 4096, 12
local TAB, RETURN, SPACE, ZERO, NINE, COLON, SMALL_A, SMALL_Z, BRACE = 9, 13, 32, 48, 57, 58, 97, 122, 123
local KEYS = {
  prompt_tokens = true, completion_tokens = true, total_tokens = true, cached_tokens = true, cache_write_tokens = true,
  input_tokens = true, output_tokens = true, cache_read_input_tokens = true, cache_creation_input_tokens = true,
  prompt_n = true, cache_n = true, predicted_n = true,
}

-- Notes a text where formats find it. The metadata, in which loggers can look for it, cost far more.
local function note(handle, name, text)
  handle:streamInfo():filterState():set(STATE[name], "envoy.string", text)
end

-- Notes that an answer of this Content-Type has tokens, and whether it comes as a "stream" or "whole": see
-- `plan/usage/tokens.py`.
local function note_answer(handle, kind)
  local is_stream = kind ~= nil and kind ~= "application/json" and kind:lower():find("^text/event%-stream") ~= nil
  note(handle, "answer", is_stream and "stream" or "whole")
  return is_stream
end

-- The functions below look at bytes, and search for plain characters: LuaJIT compiles both, but no patterns.

-- Returns where the value after a key begins, from behind its quote; nil if that was no key.
local function find_value(text, position)
  local colon
  while true do
    local byte = text:byte(position)
    if byte == COLON and not colon then
      colon = true
    elseif byte ~= SPACE and (not byte or byte < TAB or byte > RETURN) then
      return colon and position
    end
    position = position + 1
  end
end

-- Returns the number whose digits begin at a position; false for one of too many digits, nil for none.
local function read_number(text, position)
  local start, number, byte = position, 0, text:byte(position)
  while byte and byte >= ZERO and byte <= NINE do
    position, number = position + 1, number * 10 + byte - ZERO
    byte = text:byte(position)
  end
  if position == start then return nil end
  return position - start <= MOST_DIGITS and number
end

-- Returns the numbers that an object has at keys of tokens, also in objects within it; of equal keys the first counts.
-- Any two quotes with no other between them may be those of a key.
local function read_numbers(object)
  local numbers, first = {}, object:find('"', 1, true)
  while first do
    local second = object:find('"', first + 1, true)
    local letter = object:byte(first + 1)
    if second and letter >= SMALL_A and letter <= SMALL_Z then
      local key = object:sub(first + 1, second - 1)
      local value = KEYS[key] and numbers[key] == nil and find_value(object, second + 1)
      if value then numbers[key] = read_number(object, value) end
    end
    first = second
  end
  return numbers
end

-- Returns where the object ends that begins at a position: where as many braces are closed as opened; nil without an end.
local function find_object_end(text, position)
  local depth, opened = 0, position
  while true do
    local closed = text:find("}", position, true)
    if not closed then return nil end
    while opened and opened < closed do depth, opened = depth + 1, text:find("{", opened + 1, true) end
    depth = depth - 1
    if depth == 0 then return closed end
    position = closed + 1
  end
end

-- Returns the tokens in, those of them from a cache, the tokens out, and those in that a cache has written; none for what
-- is not reported.
local function read_usage(usage)
  local numbers = read_numbers(usage)
  local tokens_in, total = numbers.prompt_tokens, numbers.total_tokens
  if tokens_in then
    local out = numbers.completion_tokens
    -- Some servers count thoughts in the total alone.
    if total and total - tokens_in > (out or 0) then out = total - tokens_in end
    return tokens_in, numbers.cached_tokens, out, numbers.cache_write_tokens
  end
  local cached, written = numbers.cache_read_input_tokens, numbers.cache_creation_input_tokens
  tokens_in = numbers.input_tokens
  -- Anthropic counts what its cache has read or written apart.
  if tokens_in then tokens_in = tokens_in + (cached or 0) + (written or 0) end
  local out = numbers.output_tokens
  if not tokens_in and not out then tokens_in = total end
  return tokens_in, cached or numbers.cached_tokens, out, written or numbers.cache_write_tokens
end

-- llama.cpp's own report, which its streams have unasked.
local function read_timings(timings)
  local numbers = read_numbers(timings)
  local read, cached = numbers.prompt_n, numbers.cache_n
  if read then read = read + (cached or 0) end
  return read, cached, numbers.predicted_n
end

-- Notes which of several entries has answered, or that none has got the call, and that an answer which the translator passed
-- on is no server's, which may have worked all the same.
local function note_who_answered(handle, headers)
  local served_by = headers:get(SERVED_BY)
  if served_by then handle:streamInfo():dynamicMetadata():set(USAGE, "served_by", served_by) end
  if headers:get(UNTAKEN) then handle:streamInfo():dynamicMetadata():set(USAGE, "untaken", true) end
  local flags = headers:get(OWN_REPLY)
  if not flags then return end
  headers:remove(OWN_REPLY)
  for flag in flags:gmatch("[^,]+") do
    if not UNSENT[flag] then return note(handle, "unsure", "true") end
  end
end

local function note_larger(state, seen, name, tokens)
  if not tokens or tokens <= (seen[name] or 0) then return end
  seen[name] = tokens
  state:set(STATE[name], "envoy.string", tostring(tokens))
end

-- Returns whether there was a report. A plain search finds the key much faster than a pattern would.
local function note_reports(handle, seen, text, key, read)
  local state, start = nil, text:find(key, 1, true)
  while start do
    local value = find_value(text, start + #key)
    local stop = value and text:byte(value) == BRACE and find_object_end(text, value)
    if stop then
      state = state or handle:streamInfo():filterState()
      local tokens_in, cached, out, cache_writes = read(text:sub(value, stop))
      note_larger(state, seen, "in", tokens_in)
      note_larger(state, seen, "cached", cached)
      note_larger(state, seen, "out", out)
      note_larger(state, seen, "cache_writes", cache_writes)
    end
    start = text:find(key, stop and stop + 1 or start + #key, true)
  end
  return state ~= nil
end

-- Returns whether some events report while their answer is being written: the beginning of a message, or pieces of a chat,
-- as some servers count them. All other reports come with an end.
local function has_early_report(events)
  for line in events:gmatch("[^\n]+") do
    local reports = line:find("^data:") and (line:find('"usage"%s*:%s*{') or line:find('"timings"%s*:%s*{'))
    if reports and not line:find('"response"%s*:%s*{') then
      if line:find('"choices"%s*:%s*%[%s*{') or line:find('"type"%s*:%s*"message_start"') then return true end
    end
  end
  return false
end

-- Returns whether some events say that their answer ends: why it does, as chats and messages say, or by the marker that
-- comes last, which many servers leave out. In what a model writes, quotes stand behind backslashes.
local function has_end(events, seen)
  local reason = events:find('_reason"', 1, true)
  while reason do
    if events:find('^%s*:%s*"[^"]', reason + 8) then return true end
    reason = events:find('_reason"', reason + 8, true)
  end
  if not seen.is_early then return false end
  if events:find('"message_stop"', 1, true) then return true end
  return events:find("[DONE]", 1, true) and (events:find("^data: ?%[DONE%]") or events:find("\ndata: ?%[DONE%]")) ~= nil
end

-- Returns whether one of some events is an error. In what a model writes, quotes stand behind backslashes; the events
-- that tell of a whole response quote the caller's tools, which may have a property of this name. Of such a line that
-- goes on in later texts, their first line may have no more than the end: `seen.in_response` says what it belongs to.
local function has_error(events, seen)
  local goes_on, in_response = events:sub(-1) ~= "\n", seen.in_response and events:sub(1, 1) ~= "\n"
  seen.in_response = nil
  if not (goes_on or in_response or events:find('"error"', 1, true)) then return false end
  for line in events:gmatch("[^\n]+") do
    in_response = in_response or line:find('"response"%s*:%s*{') ~= nil
    local is_error
    if in_response then
      is_error = line:find('"type"%s*:%s*"response%.failed"')
    else
      is_error = line:find('"error"%s*:%s*[^%snf]') or line:find('"type"%s*:%s*"error"')
    end
    if is_error then return true end
    seen.in_response, in_response = goes_on and in_response, nil
  end
  return false
end

local function note_broken_off(handle)
  note(handle, "broken_off", "true")
end

-- Notes when the first event with data comes, in milliseconds since the epoch.
local function note_first_word(handle, seen, text)
  if seen.has_begun or not text:find("data:", 1, true) then return end
  seen.has_begun = true
  local now = tonumber(handle:timestamp(EnvoyTimestampResolution.MILLISECOND))
  note(handle, "first_word", string.format("%d", now))
end

-- Notes the tokens that a text reports, and an error that ends events which have begun: what the model had written by
-- then, none of them may say. `seen` has what the texts before it reported.
local function note_usage(handle, seen, text, is_events)
  local has_usage = note_reports(handle, seen, text, '"usage"', read_usage)
  local has_timings = note_reports(handle, seen, text, '"timings"', read_timings)
  if not is_events then return end
  note_first_word(handle, seen, text)
  if (has_usage or has_timings) and not seen.is_early then seen.is_early = has_early_report(text) end
  seen.has_ended = seen.has_ended or has_end(text, seen)
  if has_error(text, seen) then note_broken_off(handle) end
end

-- Notes that an answer is over, and whether its tokens were not reported. Events that stop after an early report, without
-- a word that the answer has ended, were cut off: nobody knows what the model had written by then.
local function note_end(handle, seen)
  if seen.is_early and not seen.has_ended then note_broken_off(handle) end
  if not (seen["in"] or seen.out) then handle:streamInfo():dynamicMetadata():set(USAGE, "unreported", true) end
end

-- Returns what must be read once more together with the next chunk; chunks mostly end with an event.
local function keep_rest(text, is_events)
  if is_events then text = text:sub(text:match("^.*\n()") or 1) end
  return text:sub(-1) == "\n" and "" or text:sub(-LONGEST_USAGE)
end
