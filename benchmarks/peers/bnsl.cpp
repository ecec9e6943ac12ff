// Compiled with -ffast-math, and alone: the compiler then calls libmvec's exp and log, eight points at a time, and no solver is.
#include "bnsl.h"

#include <algorithm>
#include <cmath>
#include <limits>

Bnsl::Bnsl(int breaks, std::vector<double> u, std::vector<double> target)
    : breaks_(breaks), last_(static_cast<int>(u.size()) - 1), rows_((last_ + 8) / 8 * 8), θ_(Parameters(), std::numeric_limits<double>::max()), r_(rows_), u_(std::move(u)), target_(std::move(target)), weight_(u_.size(), 1),
      logG_(rows_), inverseY_(rows_), share_(rows_), softplus_(breaks * rows_), sigmoid_(breaks * rows_), tail_(breaks * rows_), f_(breaks), c_(breaks) {
  u_.resize(rows_);
  target_.resize(rows_);
  weight_.resize(rows_);
}

const double* Bnsl::Residuals(const double* θ) {
  if (std::equal(θ_.begin(), θ_.end(), θ)) return r_.data();
  θ_.assign(θ, θ + Parameters());
  double* __restrict r = r_.data();
  const int rows = rows_ / 8 * 8;  // so that the compiler knows that no point is left over
  const double *u = u_.data(), *target = target_.data(), *weight = weight_.data();
  double *__restrict logG = logG_.data(), *__restrict inverseY = inverseY_.data(), *__restrict share = share_.data();
  const double a = θ[0], logG0 = θ[1], c0 = θ[2];
  for (int i = 0; i < rows; i++) logG[i] = logG0 - c0 * u[i];
  for (int k = 0; k < breaks_; k++) {
    const double c = c_[k] = θ[3 + 3 * k], logD = θ[4 + 3 * k], f = f_[k] = std::exp(θ[5 + 3 * k]), inverse = 1 / f, cf = c * f;
    double *__restrict softplus = softplus_.data() + k * rows, *__restrict sigmoid = sigmoid_.data() + k * rows, *__restrict tail = tail_.data() + k * rows;
#pragma GCC ivdep
    for (int i = 0; i < rows; i++) {
      const double z = (u[i] - logD) * inverse, size = std::fabs(z);
      const double e = std::exp(-std::fmin(size, 170.0)), q = 1 / (1 + e), log = std::log(1 + e);
      softplus[i] = std::fmax(z, 0.0) + log;
      sigmoid[i] = z < 0 ? e * q : q;
      tail[i] = log + size * (e * q);
    }
    const double softplus0 = softplus[last_], sigmoid0 = sigmoid[last_], tail0 = tail[last_];
    for (int i = 0; i < rows; i++) {
      softplus[i] -= softplus0;
      sigmoid[i] -= sigmoid0;
      tail[i] -= tail0;
      logG[i] -= cf * softplus[i];
    }
  }
#pragma GCC ivdep
  for (int i = 0; i < rows; i++) {
    const double g = std::exp(std::fmax(std::fmin(logG[i], 170.0), -170.0)), y = a + g;
    inverseY[i] = weight[i] / y;
    share[i] = g * inverseY[i];
    r[i] = weight[i] * (std::log(y) - target[i]);
  }
  return r_.data();
}

void Bnsl::Jacobian(double* __restrict jacobian) const {
  const int rows = rows_ / 8 * 8;  // so that the compiler knows that no point is left over
  const double *u = u_.data(), *inverseY = inverseY_.data(), *share = share_.data();
  for (int i = 0; i < rows; i++) {
    jacobian[i] = inverseY[i];
    jacobian[rows + i] = share[i];
    jacobian[2 * rows + i] = -share[i] * u[i];
  }
  for (int k = 0; k < breaks_; k++) {
    const double c = c_[k], f = f_[k];
    const double *softplus = softplus_.data() + k * rows, *sigmoid = sigmoid_.data() + k * rows, *tail = tail_.data() + k * rows;
    double* __restrict column = jacobian + (3 + 3 * k) * rows;
    for (int i = 0; i < rows; i++) {
      column[i] = -f * share[i] * softplus[i];
      column[rows + i] = c * share[i] * sigmoid[i];
      column[2 * rows + i] = -c * f * share[i] * tail[i];
    }
  }
}
