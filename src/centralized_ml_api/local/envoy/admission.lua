-- Asks the admission service whether a call may go on, and does what it answers; `admission/exchange.py` has its words.
-- These precede this script: `CLUSTER` and `CALL_PATH`, where it is; `TIMEOUT_MS`, the most time that it takes; `TEAM`,
-- the header that names the team of a call; `REFUSAL_HEADERS`, those of a refusal that its caller gets; `ADMISSION`,
-- `BODY` and `LIMITS`, names of dynamic metadata; `HIDES_USAGE`, a key of it; `UNANSWERED` and `ANSWERED`, what the
-- service `said`; and the function of `plain_bodies.lua`. What a wait invalidates, such as headers, is taken anew after
-- each.

local MOST_REMEMBERED = 1000

local function read_body(handle)
  local body = handle:body()
  return body and body:getBytes(0, body:length())
end

-- Asks once; once more with the terms, if the service does not know them; and with the limits of teams, which all routes
-- share, if it does not know those.
local function ask(handle, question, body)
  local options = {timeout_ms = TIMEOUT_MS, send_xff = false}
  local answer, text = handle:httpCall(CLUSTER, question, body, options)
  if answer["x-verdict"] ~= "terms" then return answer, text end
  local terms = handle:metadata():get("terms")
  question["x-terms-bytes"] = tostring(#terms)
  answer, text = handle:httpCall(CLUSTER, question, terms .. (body or ""), options)
  if answer["x-verdict"] ~= "limits" then return answer, text end
  local limits = handle:virtualHost():metadata():get("limits")
  question["x-terms-bytes"], question["x-limits-bytes"] = tostring(#terms + #limits), tostring(#limits)
  return handle:httpCall(CLUSTER, question, terms .. limits .. (body or ""), options)
end

local function unquote(text)
  return (text:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end))
end

local function go_on(handle, call, answer, text)
  local metadata = handle:streamInfo():dynamicMetadata()
  if answer["x-holds"] ~= "yes" then metadata:set(ADMISSION, "call", false) end
  if answer["x-holds"] == "later" then metadata:set(ADMISSION, "later", call) end
  if answer["x-hides-usage"] then metadata:set(BODY, HIDES_USAGE, true) end
  for name, value in (answer["x-left"] or ""):gmatch("(%a+)=(%S+)") do metadata:set(LIMITS, name, value) end
  if answer["x-body"] then
    handle:headers():replace("content-length", handle:body():setBytes(text))
  end
  if answer["x-model"] then
    metadata:set(BODY, "model", unquote(answer["x-model"]))
    metadata:set(BODY, "stream", answer["x-stream"] == "yes")
    handle:clearRouteCache()
  end
end

local function give_up(handle)
  handle:streamInfo():dynamicMetadata():set(ADMISSION, "said", UNANSWERED)
  handle:respond({[":status"] = "503"}, "")
end

local function refuse(handle, answer, text)
  local refusal = {[":status"] = answer["x-status"], ["content-type"] = "application/json"}
  for _, name in ipairs(REFUSAL_HEADERS) do refusal[name] = answer[name] end
  handle:streamInfo():dynamicMetadata():set(ADMISSION, "said", answer["x-said"])
  handle:respond(refusal, text)
end

-- Returns what the terms of this name say of plain bodies. Envoy makes a table of it at each look.
local plain_by_terms, remembered = {}, 0
local function find_plain(handle, terms)
  local plain = plain_by_terms[terms]
  if not plain then
    if remembered == MOST_REMEMBERED then plain_by_terms, remembered = {}, 0 end
    plain, remembered = handle:metadata():get("plain"), remembered + 1
    plain_by_terms[terms] = plain
  end
  return plain
end

-- Returns whether something limits the team of a call. Envoy copies all that a virtual host says at each look.
local limited_by, limited_teams
local function is_limited(handle, limits)
  if limited_by ~= limits then
    limited_by, limited_teams = limits, handle:virtualHost():metadata():get("limited")
  end
  local team = handle:headers():get(TEAM)
  return team and limited_teams[team]
end

-- Returns whether a call goes on without a question: where nothing limits its team and its body is plain.
local function goes_on_unasked(handle, plain)
  if plain.limited_by and is_limited(handle, plain.limited_by) then return false end
  if plain.passes and handle:streamInfo():dynamicMetadata():get(BODY).model == plain.passes then return true end
  local body = handle:body()
  if not body then return false end
  local text, hides = rewrite_plain(body:getBytes(0, body:length()), plain)
  if not text then return false end
  handle:headers():replace("content-length", body:setBytes(text))
  if hides then handle:streamInfo():dynamicMetadata():set(BODY, HIDES_USAGE, true) end
  return true
end

local function admit(handle)
  local context = handle:filterContext()
  local terms, reads_body = context:get("plain"), true
  if terms then
    if goes_on_unasked(handle, find_plain(handle, terms)) then return end
  else
    terms, reads_body = context:get("name"), context:get("reads_body")
    if not terms then return end  -- nothing is asked on this route
  end
  local body = reads_body and read_body(handle) or nil
  local team = handle:headers():get(TEAM)
  local info = handle:streamInfo()
  local call = info:downstreamRemoteAddress() .. " " .. handle:timestampString(EnvoyTimestampResolution.MICROSECOND)
  info:dynamicMetadata():set(ADMISSION, "call", call)
  local question = {
    [":method"] = "POST", [":path"] = CALL_PATH, [":authority"] = CLUSTER, ["x-call"] = call, ["x-terms"] = terms,
    ["x-team"] = team, ["x-type"] = body and handle:headers():get("content-type"),
  }
  local answer, text = ask(handle, question, body)
  local verdict = answer["x-verdict"]
  if verdict == "go" then return go_on(handle, call, answer, text) end
  if verdict == "refuse" then return refuse(handle, answer, text) end
  if verdict ~= "answer" then return give_up(handle) end
  handle:streamInfo():dynamicMetadata():set(ADMISSION, "said", ANSWERED)
  handle:respond({[":status"] = "200", ["content-type"] = "application/json"}, text)
end

-- Of a script that fails, Envoy lets the call go on: nobody gets in like that.
function envoy_on_request(handle)
  local is_done, problem = pcall(admit, handle)
  if is_done then return end
  handle:logErr("a call could not be asked about: " .. tostring(problem))
  give_up(handle)
end
