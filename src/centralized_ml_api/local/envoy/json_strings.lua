-- Returns the position of the closing quote of the JSON string whose content begins at `start`; nil if it has none.
local function find_closing_quote(text, start)
  while true do
    local found = text:find('["\\]', start)
    if not found or text:sub(found, found) == '"' then return found end
    start = found + 2
  end
end
