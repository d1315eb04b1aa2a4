#pragma once

#include "vec3.h"

namespace engine {

/// A box whose sides follow the axes.
struct Box {
    vec3 min, max;
    bool intersects(const Box& other) const;
};

/// A ball that moves in a straight line.
class BallSweep {
public:
    float timeOfImpact(const Ball& ball, const Plane& wall) const;
};

void resolvePenetration(Body& a, Body& b, float depth);

}  // namespace engine
