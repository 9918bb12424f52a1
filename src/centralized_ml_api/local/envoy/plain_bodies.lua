-- Rewrites plain bodies as the admission service would, which is asked about all others: see `admission/body_rules.py`.
-- It needs the function of `json_strings.lua`.
-- It looks at bytes, and searches for plain characters: LuaJIT compiles both, but no patterns.

local MOST_COLONS, MOST_DIGITS, MOST_NAMES, LONGEST_NAME = 1000, 9, 1000, 64
local TAB, NEWLINE, RETURN, SPACE, QUOTE, COMMA, COLON = 9, 10, 13, 32, 34, 44, 58
local BRACKET, CLOSING_BRACKET, BRACE, CLOSING_BRACE = 91, 93, 123, 125

local function is_space(byte)
  return byte == SPACE or byte == NEWLINE or byte == RETURN or byte == TAB
end

local function skip_space(text, position)
  while is_space(text:byte(position)) do position = position + 1 end
  return position
end

-- Returns where the JSON value ends that begins at `position`, of a valid text: behind its last character.
local function find_value_end(text, position)
  local byte, depth = text:byte(position), 0
  if byte == QUOTE then return find_closing_quote(text, position + 1) + 1 end
  if byte ~= BRACE and byte ~= BRACKET then
    while byte and byte ~= COMMA and byte ~= CLOSING_BRACE and not is_space(byte) do
      position = position + 1
      byte = text:byte(position)
    end
    return position
  end
  repeat
    byte = text:byte(position)
    if byte == QUOTE then
      position = find_closing_quote(text, position + 1)
    elseif byte == BRACE or byte == BRACKET then
      depth = depth + 1
    elseif byte == CLOSING_BRACE or byte == CLOSING_BRACKET then
      depth = depth - 1
    elseif not byte then
      error("a value has no end")
    end
    position = position + 1
  until depth == 0
  return position
end

-- Returns a key in lower case; false for one that servers may read in more than one way. Calls have the same few keys.
local names, remembered_names = {}, 0
local function fold_key(key)
  local name = names[key]
  if name == nil then
    name = key:find("^[%w_]+$") and key:lower() or false
    if #key > LONGEST_NAME then return name end
    if remembered_names == MOST_NAMES then names, remembered_names = {}, 0 end
    names[key], remembered_names = name, remembered_names + 1
  end
  return name
end

-- Returns where the watched members of an object have their values, by key, and where the first member begins; nil for
-- an object with a key that servers may read in more than one way.
local function find_members(text, watched)
  local members, position = {}, skip_space(text, 1)
  if text:byte(position) ~= BRACE then return nil end
  local first = position + 1
  position = skip_space(text, first)
  while text:byte(position) == QUOTE do
    local quote = text:find('"', position + 1, true)
    local key = quote and text:sub(position + 1, quote - 1)
    local name = key and fold_key(key)
    position = name and skip_space(text, quote + 1)
    if not name or text:byte(position) ~= COLON then return nil end
    local start = skip_space(text, position + 1)
    local stop = find_value_end(text, start)
    if watched[name] then
      if name ~= key or members[key] then return nil end
      members[key] = {start, stop - 1}
    end
    position = skip_space(text, stop)
    if text:byte(position) == COMMA then position = skip_space(text, position + 1) end
  end
  if text:byte(position) ~= CLOSING_BRACE then return nil end
  return members, first
end

-- Returns whether a text may have more keys than the service takes: see `MOST_KEYS`.
local function has_many_keys(text)
  if #text <= MOST_COLONS then return false end
  local count, found = 0, text:find(":", 1, true)
  while found and count <= MOST_COLONS do count, found = count + 1, text:find(":", found + 1, true) end
  return count > MOST_COLONS
end

-- Returns the member to be added that bounds the answer: none, if one of the caller's does; nil if that is not plain.
local function bound_answer(text, members, plain)
  if not plain.most then return "" end
  if members.n_predict then return nil end
  local is_bounded = false
  for _, name in ipairs(plain.limits) do
    local member = members[name]
    if member then
      local digits = text:sub(member[1], member[2])
      if #digits > MOST_DIGITS or not digits:find("^[1-9]%d*$") or tonumber(digits) > plain.most then return nil end
      is_bounded = true
    end
  end
  if not is_bounded then return plain.bound end
  if plain.needs_limit and not members[plain.limit] then return nil end
  return ""
end

-- Returns the body that the server gets, and whether its stream will tell tokens for which the caller has not asked;
-- nil if the service must be asked. Envoy has read the text before: it is a valid JSON object that names a model. What
-- `plain` has, `admission/plain_bodies.py` says.
local function rewrite_plain(text, plain)
  if #text > plain.longest or text:find("\0", 1, true) then return nil end  -- Envoy reads no further than a zero
  if has_many_keys(text) then return nil end
  local members, first = find_members(text, plain.watched)
  if not members or not members.model or members.models then return nil end
  local added, hides = bound_answer(text, members, plain), false
  if not added then return nil end
  if plain.adds_usage and members.stream and text:sub(members.stream[1], members.stream[2]) == "true" then
    if members.stream_options then return nil end
    added, hides = added .. '"stream_options":{"include_usage": true},', true
  end
  local model = members.model
  local before, after = text:sub(first, model[1] - 1), text:sub(model[2] + 1)
  return text:sub(1, first - 1) .. added .. before .. plain.model .. after, hides
end
