! Sweeps of a five-point stencil, as Fortran programs have them: whole-array loops over columns.
subroutine jacobi(n, sweeps, u, f) bind(c, name="umbra_jacobi")
  use, intrinsic :: iso_c_binding, only: c_double, c_int
  implicit none
  integer(c_int), value :: n, sweeps
  real(c_double), intent(inout) :: u(0:n + 1, 0:n + 1)
  real(c_double), intent(in) :: f(0:n + 1, 0:n + 1)
  real(c_double), allocatable :: next(:, :)
  integer :: i, j, sweep

  allocate (next(n, n))
  do sweep = 1, sweeps
    do j = 1, n
      do i = 1, n
        next(i, j) = 0.25_c_double*(u(i - 1, j) + u(i + 1, j) + u(i, j - 1) + u(i, j + 1) - f(i, j))
      end do
    end do
    u(1:n, 1:n) = next
  end do
  deallocate (next)
end subroutine jacobi
