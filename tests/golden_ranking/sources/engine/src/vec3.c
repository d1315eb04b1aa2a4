#include "vec3.h"

#include <math.h>

/* The vector at right angles to both. */
vec3 vec3_cross(vec3 a, vec3 b)
{
    vec3 r = {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
    return r;
}

float vec3_length(vec3 v)
{
    return sqrtf(v.x * v.x + v.y * v.y + v.z * v.z);
}

/* The same direction with length one; a zero vector stays as it is. */
vec3 vec3_normalize(vec3 v)
{
    float n = vec3_length(v);
    if (n > 0) {
        v.x /= n;
        v.y /= n;
        v.z /= n;
    }
    return v;
}
