#!/usr/bin/env lua
-- A queue with priorities.

local M = {}
local sub = require("queue.sub")

M.version = "1.0"
M.heap = {}

--- Compares two entries by priority.
-- @param a the first entry
-- @return whether a goes first
local function before(a, b)
  return a.priority < b.priority
end

---@class Queue
local Queue = {}
Queue.__index = Queue

--- Makes an empty queue.
---@return Queue
function Queue.new()
  return setmetatable({ entries = {} }, Queue)
end

--- Adds a value.
---@param value any
---@param priority number
function Queue:push(value, priority)
  local function entry()
    return { value = value, priority = priority }
  end
  table.insert(self.entries, entry())
  table.sort(self.entries, before)
end

-- Takes the first value out.
M.heap.pop = function(queue)
  return table.remove(queue.entries, 1).value
end

--[[
Runs a callback for every entry.
]]
function M.heap.each(queue, callback)
  for _, entry in ipairs(queue.entries) do
    callback(entry.value)
  end
end

M.handlers = {
  -- Called when the queue is empty.
  on_empty = function()
    print("empty")
  end,
  ["on full"] = function(n) return n > 10 end,
}

local counter = function() return 1 end

function plain(...) return select("#", ...) end

if arg and arg[0] then
  print(M.version)
end

return M
