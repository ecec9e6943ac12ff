// Ceres' solvers on problems and starts that PeersBenchmark.cs writes.
// usage: ceres_peer SOLVER PROBLEMS ENDS     SOLVER: evaluate, qr, cholesky, tiny or tiny-floor
//        ceres_peer version
//
// PROBLEMS, all numbers as text: how many; then of each breaks, points and starts; lower and upper bounds; log x and log y of the points; every start.
// ENDS, a problem a line: CPU-seconds of all its starts, then θ where each ended; for evaluate, residuals and the Jacobian by rows at the first start.
#include <ceres/ceres.h>
#include <ceres/tiny_solver.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "bnsl.h"
#include "tiny_solver_with_floor.h"

namespace {

constexpr double kFirstDamping = 0.03, kLeastDiagonal = 3, kTolerance = 1e-8;
constexpr int kIterations = 200;

double CpuSeconds() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec + 1e-9 * now.tv_nsec;
}

struct Problem {
  Bnsl law;
  int points;
  std::vector<double> lower, upper;
  std::vector<std::vector<double>> starts;
};

std::vector<double> Read(std::istream& in, int count) {
  std::vector<double> numbers(count);
  for (double& number : numbers) in >> number;
  return numbers;
}

Problem ReadProblem(std::istream& in) {
  int breaks = 0, points = 0, count = 0;
  in >> breaks >> points >> count;
  const int p = 3 + 3 * breaks;
  std::vector<double> lower = Read(in, p), upper = Read(in, p), u = Read(in, points), target = Read(in, points);
  Problem problem{Bnsl(breaks, u, target), points, lower, upper, {}};
  for (int start = 0; start < count; start++) problem.starts.push_back(Read(in, p));
  if (!in) throw std::runtime_error("the problems end early");
  return problem;
}

// The box, for solvers of Ceres 2.1. Its own bounds do not hold what the gradient pushes outwards (with two breaks .28 of the starts came within 1 % of the
// minimum instead of .44); a manifold that cuts steps at the box goes the same way as this and costs a product a Jacobian; TinySolver has neither.
// So θ, which is the solver's own trial, is cut at the box where it is evaluated, ...
void Cut(const Problem& problem, const double* θ) {
  for (int j = 0; j < problem.law.Parameters(); j++) const_cast<double*>(θ)[j] = std::min(std::max(θ[j], problem.lower[j]), problem.upper[j]);
}

// ... and the column of a parameter that the gradient pushes out of the box is 0, so that it stays.
void Hold(const Problem& problem, const double* θ, const double* residuals, double* jacobian) {
  const int rows = problem.law.Rows();
  for (int j = 0; j < problem.law.Parameters(); j++) {
    if (θ[j] > problem.lower[j] && θ[j] < problem.upper[j]) continue;
    Eigen::Map<Eigen::VectorXd> column(jacobian + j * rows, rows);
    const double gradient = column.dot(Eigen::Map<const Eigen::VectorXd>(residuals, rows));
    if (θ[j] <= problem.lower[j] ? gradient > 0 : gradient < 0) column.setZero();
  }
}

// Ceres proper. One cost function, one parameter block, one problem for all starts of a curve.
class CeresResiduals : public ceres::CostFunction {
 public:
  explicit CeresResiduals(Problem& problem) : problem_(problem), columns_(problem.law.Rows(), problem.law.Parameters()) {
    set_num_residuals(problem.law.Rows());
    mutable_parameter_block_sizes()->push_back(problem.law.Parameters());
  }

  bool Evaluate(const double* const* parameters, double* residuals, double** jacobians) const override {
    const double* θ = parameters[0];
    Cut(problem_, θ);
    const double* r = problem_.law.Residuals(θ);
    std::copy(r, r + problem_.law.Rows(), residuals);
    if (jacobians != nullptr && jacobians[0] != nullptr) {
      problem_.law.Jacobian(columns_.data());
      Hold(problem_, θ, r, columns_.data());
      Eigen::Map<Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(jacobians[0], columns_.rows(), columns_.cols()) = columns_;
    }
    return true;
  }

 private:
  Problem& problem_;
  mutable Eigen::MatrixXd columns_;
};

void SolveCeres(Problem& problem, ceres::LinearSolverType linear, std::vector<std::vector<double>>& ends, int count) {
  std::vector<double> θ(problem.law.Parameters());
  ceres::Problem ceres;
  ceres.AddResidualBlock(new CeresResiduals(problem), nullptr, θ.data());
  ceres::Solver::Options options;
  options.linear_solver_type = linear;
  options.max_num_iterations = kIterations;
  options.function_tolerance = kTolerance;
  options.use_nonmonotonic_steps = true;
  options.jacobi_scaling = false;
  options.min_lm_diagonal = kLeastDiagonal;
  options.initial_trust_region_radius = 1 / kFirstDamping;
  options.logging_type = ceres::SILENT;
  options.num_threads = 1;
  ceres::Solver::Summary summary;
  for (int start = 0; start < count; start++) {
    θ = problem.starts[start];
    ceres::Solve(options, &ceres, &summary);
    ends[start] = θ;
  }
}

// TinySolver. The number of parameters is known to the compiler.
template <int P>
class TinyResiduals {
 public:
  using Scalar = double;
  enum { NUM_RESIDUALS = Eigen::Dynamic, NUM_PARAMETERS = P };

  TinyResiduals(Problem& problem, double* tolerance) : problem_(problem), tolerance_(tolerance) {}

  int NumResiduals() const { return problem_.law.Rows(); }

  // The solver's tolerance is absolute; it is made relative here.
  bool operator()(const double* θ, double* residuals, double* jacobian) const {
    Cut(problem_, θ);
    const double* r = problem_.law.Residuals(θ);
    std::copy(r, r + problem_.law.Rows(), residuals);
    if (jacobian != nullptr) {
      problem_.law.Jacobian(jacobian);
      Hold(problem_, θ, r, jacobian);
      *tolerance_ = kTolerance * Eigen::Map<const Eigen::VectorXd>(r, problem_.law.Rows()).squaredNorm();
    }
    return true;
  }

 private:
  Problem& problem_;
  double* tolerance_;
};

template <int P, template <typename, typename> class Solver>
void SolveTiny(Problem& problem, std::vector<std::vector<double>>& ends, int count) {
  Solver<TinyResiduals<P>, Eigen::LLT<Eigen::Matrix<double, P, P>>> solver;
  const TinyResiduals<P> residuals(problem, &solver.options.function_tolerance);
  solver.options.max_num_iterations = kIterations;
  solver.options.cost_threshold = 0;
  solver.options.initial_trust_region_radius = 1 / kFirstDamping;
  for (int start = 0; start < count; start++) {
    Eigen::Matrix<double, P, 1> θ = Eigen::Map<const Eigen::Matrix<double, P, 1>>(problem.starts[start].data());
    solver.Solve(residuals, &θ);
    ends[start].assign(θ.data(), θ.data() + P);
  }
}

template <template <typename, typename> class Solver>
void SolveTiny(Problem& problem, std::vector<std::vector<double>>& ends, int count) {
  switch (problem.law.Breaks()) {
    case 0: return SolveTiny<3, Solver>(problem, ends, count);
    case 1: return SolveTiny<6, Solver>(problem, ends, count);
    case 2: return SolveTiny<9, Solver>(problem, ends, count);
    case 3: return SolveTiny<12, Solver>(problem, ends, count);
    default: throw std::runtime_error("TinySolver is compiled for 0 to 3 breaks");
  }
}

void Solve(const std::string& solver, Problem& problem, std::vector<std::vector<double>>& ends, int count) {
  if (solver == "qr") SolveCeres(problem, ceres::DENSE_QR, ends, count);
  else if (solver == "cholesky") SolveCeres(problem, ceres::DENSE_NORMAL_CHOLESKY, ends, count);
  else if (solver == "tiny") SolveTiny<ceres::TinySolver>(problem, ends, count);
  else if (solver == "tiny-floor") SolveTiny<ceres::TinySolverWithFloor>(problem, ends, count);
  else throw std::runtime_error("no solver '" + solver + "'");
}

// Residuals and Jacobian, by rows, at the first start.
void Evaluate(Problem& problem, std::ostream& out) {
  const int rows = problem.law.Rows();
  std::vector<double> jacobian(rows * problem.law.Parameters());
  const double* residuals = problem.law.Residuals(problem.starts[0].data());
  problem.law.Jacobian(jacobian.data());
  for (int i = 0; i < problem.points; i++) out << residuals[i] << ' ';
  for (int i = 0; i < problem.points; i++)
    for (int j = 0; j < problem.law.Parameters(); j++) out << jacobian[j * rows + i] << ' ';
  out << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string(argv[1]) == "version") {
    std::cout << "Ceres " << CERES_VERSION_STRING << ", Eigen " << EIGEN_WORLD_VERSION << '.' << EIGEN_MAJOR_VERSION << '.' << EIGEN_MINOR_VERSION << ", g++ " << __VERSION__ << '\n';
    return 0;
  }
  if (argc != 4) throw std::runtime_error("usage: ceres_peer SOLVER PROBLEMS ENDS");
  const std::string solver = argv[1];
  std::ifstream in(argv[2]);
  std::ofstream out(argv[3]);
  out << std::setprecision(17);
  int count = 0;
  in >> count;
  for (int index = 0; index < count; index++) {
    Problem problem = ReadProblem(in);
    if (solver == "evaluate") {
      Evaluate(problem, out);
      continue;
    }
    std::vector<std::vector<double>> ends(problem.starts.size());
    Solve(solver, problem, ends, 1);  // not timed
    const double before = CpuSeconds();
    Solve(solver, problem, ends, problem.starts.size());
    out << CpuSeconds() - before << ' ';
    for (const std::vector<double>& end : ends)
      for (double number : end) out << number << ' ';
    out << '\n';
  }
  return out.flush() ? 0 : 1;
}
