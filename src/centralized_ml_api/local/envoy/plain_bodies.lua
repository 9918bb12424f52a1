-- Rewrites plain bodies as the admission service would, which is asked about all others: see `admission/body_rules.py`.
-- It needs the function of `json_strings.lua`.

local MOST_COLONS, MOST_DIGITS = 1000, 9

-- Returns where the JSON value ends that begins at `position`, of a valid text: behind its last character.
local function find_value_end(text, position)
  local first = text:sub(position, position)
  if first == '"' then return find_closing_quote(text, position + 1) + 1 end
  if first ~= "{" and first ~= "[" then return (text:find("[%s,}]", position)) end
  local depth = 0
  repeat
    local found, _, mark = text:find('(["%[%]{}])', position)
    position = (mark == '"' and find_closing_quote(text, found + 1) or found) + 1
    if mark == "{" or mark == "[" then depth = depth + 1 elseif mark ~= '"' then depth = depth - 1 end
  until depth == 0
  return position
end

-- Returns where the watched members of an object have their values, by key, and where the first member begins; nil for
-- an object with a key that servers may read in more than one way.
local function find_members(text, watched)
  local members, first = {}, text:match("^%s*{()")
  local position = first and text:match("^%s*()", first)
  while position and text:sub(position, position) == '"' do
    local key, start = text:match('^"([%w_]+)"%s*:%s*()', position)
    if not key then return nil end
    local stop, name = find_value_end(text, start), key:lower()
    if watched[name] then
      if name ~= key or members[key] then return nil end
      members[key] = {start, stop - 1}
    end
    position = text:match("^%s*,?%s*()", stop)
  end
  return members, first
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
  if #text > MOST_COLONS and select(2, text:gsub(":", "")) > MOST_COLONS then return nil end  -- see `MOST_KEYS`
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
