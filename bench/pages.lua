-- Asks for another page of the list with each request, so that no two requests under way are for the same.
local at = 0

function request()
    at = at % 9000 + 1
    return wrk.format("GET", string.format("/api/v1/sites?limit=20&cursor=site_%022d", 10001 - at))
end
