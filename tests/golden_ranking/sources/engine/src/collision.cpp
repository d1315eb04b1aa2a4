#include "collision.hpp"

#include <algorithm>
#include <cmath>

namespace engine {

/// Whether two boxes whose sides follow the axes overlap.
bool Box::intersects(const Box& other) const
{
    return min.x <= other.max.x && max.x >= other.min.x && min.y <= other.max.y && max.y >= other.min.y;
}

/// Time of the first touch of a moving ball and a wall; negative when they never meet.
float BallSweep::timeOfImpact(const Ball& ball, const Plane& wall) const
{
    const float speed = dot(ball.velocity, wall.normal);
    if (speed >= 0) {
        return -1;
    }
    return (ball.radius - distance(wall, ball.center)) / speed;
}

/// Push two bodies apart so that they no longer sink into each other.
void resolvePenetration(Body& a, Body& b, float depth)
{
    const float share = a.inverseMass / (a.inverseMass + b.inverseMass);
    a.move(-depth * share);
    b.move(depth * (1 - share));
}

}  // namespace engine
