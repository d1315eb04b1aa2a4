!> Shapes and their areas.
module shapes
  use iso_fortran_env, only: real64
  implicit none
  private

  real(real64), parameter :: pi = 3.14159_real64

  !> A circle by its radius.
  type, public :: circle
    real(real64) :: radius = 1.0
  contains
    procedure :: area => circle_area
    procedure, pass(self) :: scale
  end type circle

  interface size_of
    module procedure circle_area
  end interface size_of

contains

  !> The area of a circle.
  !! In square metres.
  pure function circle_area(self) result(area)
    class(circle), intent(in) :: self
    real(real64) :: area
    area = pi * self%radius**2
  end function circle_area

  ! Scales a circle in place.
  subroutine scale(self, factor)
    class(circle), intent(inout) :: self
    real(real64), intent(in) :: factor
    self%radius = self%radius * bounded(factor)
  contains
    real(real64) function bounded(x)
      real(real64), intent(in) :: x
      bounded = min(x, 10.0_real64)
    end function bounded
  end subroutine scale

end module shapes

submodule (shapes) more
contains
  module procedure helper
    print *, 'help'
  end procedure helper
end submodule more

!> Prints an area.
program main
  use shapes
  implicit none
  type(circle) :: c
  print *, c%area()
end program main

subroutine legacy(n)
  !! Adds one to a number.
  !! It was written long ago.
  integer n
  n = n + 1
end
