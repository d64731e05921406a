-- Asks wrk's server for random customers, and prints what it saw as JSON.
-- From the environment: CUSTOMERS, the highest id; BATCH, how many ids a request
-- has, split by commas; AFTER, what follows them in the URL; SEED, so that two servers
-- are asked the same; TOPICS, split by commas, which adds a period and a topic;
-- HEADERS, lines to add to each request; DIGITS, how many an id has at least.

local customers = tonumber(os.getenv("CUSTOMERS"))
local batch = tonumber(os.getenv("BATCH"))
local id_format = "%0" .. os.getenv("DIGITS") .. "d"
local topics = {}
for topic in (os.getenv("TOPICS") or ""):gmatch("[^,]+") do
  topics[#topics + 1] = topic
end

-- 2019-01-01 to 2023-12-31, made once: wrk shares the machine with the server.
local days = {}
for day = 0, 1825 do
  days[day + 1] = os.date("!%Y-%m-%d", 1546300800 + day * 86400)
end

local before, after

function init()
  math.randomseed(tonumber(os.getenv("SEED")))
  before = "GET " .. wrk.path
  after = os.getenv("AFTER") .. " HTTP/1.1\r\nHost: " .. wrk.host .. ":" .. wrk.port .. "\r\n"
  for line in (os.getenv("HEADERS") or ""):gmatch("[^\n]+") do
    after = after .. line .. "\r\n"
  end
  after = after .. "\r\n"
end

local function random_id()
  return id_format:format(math.random(customers))
end

function request()
  local id = random_id()
  for _ = 2, batch do id = id .. "," .. random_id() end
  if #topics == 0 then return before .. id .. after end
  local first, last = math.random(#days), math.random(#days)
  if first > last then first, last = last, first end
  return before .. id .. "?start_date=" .. days[first] .. "&end_date="
    .. days[last] .. "&topic=" .. topics[math.random(#topics)] .. after
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format(
    '{"requests":%d,"duration_us":%d,"p50_us":%d,"p99_us":%d,'
      .. '"bad_answers":%d,"socket_errors":%d}',
    summary.requests, summary.duration, latency:percentile(50),
    latency:percentile(99), errors.status,
    errors.connect + errors.read + errors.write + errors.timeout
  ))
end
