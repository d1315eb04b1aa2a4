"""
    Shapes

Shapes and their areas.
"""
module Shapes

using LinearAlgebra
export area, Circle

const UNIT = 1.0

"A shape in the plane."
abstract type Shape end

"""
A circle by its radius.
"""
struct Circle <: Shape
    radius::Float64

    function Circle(radius)
        radius < 0 && error("negative radius")
        new(radius)
    end
end

mutable struct Counter{T<:Integer}
    count::T
end

"""
    area(shape)

The area of a shape.
"""
area(circle::Circle) = π * circle.radius^2

# Scales a circle by a factor.
function scale(circle::Circle, factor::T; limit=10.0) where {T<:Real}
    bounded(x) = min(x, limit)
    return Circle(bounded(circle.radius * factor))
end

function Base.show(io::IO, circle::Circle)
    print(io, "Circle of ", circle.radius)
end

Base.:+(a::Circle, b::Circle) = Circle(a.radius + b.radius)

"Runs code with a message."
macro announce(message, code)
    quote
        println($message)
        $(esc(code))
    end
end

const double = x -> 2x

square = function (x)
    x * x
end

function forward end

(c::Counter)(step) = c.count + step

end # module

println(Shapes.area(Shapes.Circle(1)))
