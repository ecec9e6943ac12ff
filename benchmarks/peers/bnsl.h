// The residuals of kernels/BnslGpu.Kernels/Bnsl.cs with loss msle and their Jacobian, all points of a curve at once.
#pragma once
#include <vector>

class Bnsl {
 public:
  // u = log x relative to the last point, which is 0 there; target = log y relative to the smallest.
  Bnsl(int breaks, std::vector<double> u, std::vector<double> target);

  int Breaks() const { return breaks_; }
  int Parameters() const { return 3 + 3 * breaks_; }

  // Points, and as many of weight 0 as fill the last register.
  int Rows() const { return rows_; }

  // θ = [a, log g0, c0, then (c, log d, log f) a break]. Rows() numbers, valid until the next call. Solvers ask for the residuals of a trial, and again,
  // with the Jacobian, once they have taken it: the same θ twice running is computed once.
  const double* Residuals(const double* θ);

  // Of the θ that Residuals saw last, whose exponentials and logarithms it uses. By columns, Rows() × Parameters().
  void Jacobian(double* jacobian) const;

 private:
  int breaks_, last_, rows_;
  std::vector<double> θ_, r_, u_, target_, weight_, logG_, inverseY_, share_;
  std::vector<double> softplus_, sigmoid_, tail_;  // by break and point, less what they are at x = 1, where they are 0
  std::vector<double> f_, c_;
};
