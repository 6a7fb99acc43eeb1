-- Counts every answer that is not exactly one of two pages. The pages are the files named in PAGE_A and PAGE_B.
local function read(name)
  local file = assert(io.open(os.getenv(name), "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

local threads = {}

function setup(thread) table.insert(threads, thread) end

function init(args)
  page_a, page_b = read("PAGE_A"), read("PAGE_B")
  seen_a, seen_b, wrong = 0, 0, 0
  example = ""
end

function response(status, headers, body)
  if status == 200 and body == page_a then
    seen_a = seen_a + 1
  elseif status == 200 and body == page_b then
    seen_b = seen_b + 1
  else
    wrong = wrong + 1
    example = status .. " " .. body:sub(1, 80):gsub("%s", " ")
  end
end

function done(summary, latency, requests)
  local a, b, bad, last = 0, 0, 0, ""
  for _, thread in ipairs(threads) do
    a, b, bad = a + thread:get("seen_a"), b + thread:get("seen_b"), bad + thread:get("wrong")
    if thread:get("example") ~= "" then last = thread:get("example") end
  end
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"a":%d,"b":%d,"wrong":%d,"errors":%d,"requests":%d,"microseconds":%d,"p99_us":%d,"example":%q}\n',
    a, b, bad, errors.connect + errors.read + errors.write + errors.timeout, summary.requests, summary.duration,
    latency:percentile(99), last))
end
