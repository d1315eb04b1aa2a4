#ifndef VEC3_H
#define VEC3_H

/* A point or direction in space. */
typedef struct {
    float x, y, z;
} vec3;

vec3 vec3_cross(vec3 a, vec3 b);
float vec3_length(vec3 v);
vec3 vec3_normalize(vec3 v);

#endif
