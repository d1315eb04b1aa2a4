-- Behaviour of enemies.
local Enemy = {}
Enemy.__index = Enemy

-- Create an enemy at a place.
function Enemy.new(x, y)
  return setmetatable({ x = x, y = y, health = 100, state = "patrol" }, Enemy)
end

-- Choose between patrol, chase and flight by what the enemy sees.
function Enemy:decide(player)
  if self.health < 20 then
    self.state = "flee"
  elseif self:sees(player) then
    self.state = "chase"
  else
    self.state = "patrol"
  end
end

-- Whether the player is near enough and not behind a wall.
function Enemy:sees(player)
  local dx, dy = player.x - self.x, player.y - self.y
  return dx * dx + dy * dy < 400 and not world.blocked(self, player)
end

return Enemy
