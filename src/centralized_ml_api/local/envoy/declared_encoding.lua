-- Names the encoding of server-sent events, which clients other than browsers guess wrong; returns the Content-Type that
-- the server has sent. `EVENTS` and `EVENTS_IN_UTF8` precede this script.
local function declare_encoding(headers)
  local kind = headers:get("content-type")
  if kind == EVENTS then headers:replace("content-type", EVENTS_IN_UTF8) end
  return kind
end
