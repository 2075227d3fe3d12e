// Log density and gradient of the two large models written by hand: the speed that a compiler could hope for.
//   build: g++ -O3 -march=native -ffast-math -std=c++20 -pthread hand.cpp -o hand
//   use:   hand ratings|regression DATA_DIR SECONDS GRADIENT_FILE [THREADS]
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <thread>
#include "timing.hpp"
using std::vector;

// Indices in files count from 1.
static void from_zero(vector<int>& indices) { for (int& index : indices) --index; }

struct Pool {                                     // one spinning helper thread per extra core
  std::atomic<int> go{0}, left{0}; std::atomic<bool> stop{false};
  const std::function<void(int)>* f = nullptr; vector<std::thread> th;
  explicit Pool(int n) { for (int t = 1; t < n; ++t) th.emplace_back([this, t] {
    for (int seen = 0;;) { int g; while ((g = go.load(std::memory_order_acquire)) == seen) { if (stop) return; __builtin_ia32_pause(); }
      seen = g; (*f)(t); left.fetch_sub(1, std::memory_order_release); } }); }
  void run(const std::function<void(int)>& fn) { f = &fn; left = int(th.size()); go.fetch_add(1, std::memory_order_release); fn(0);
    while (left.load(std::memory_order_acquire)) __builtin_ia32_pause(); }
  ~Pool() { stop = true; for (auto& t : th) t.join(); }
};
static Pool* pool;
constexpr int D = 10, P = 12, K = D * (D + 1) / 2, BLK = 256;

// Ratings: logit of a row of the table of films times the tastes of the user.
struct Ratings {
  int I; vector<double> tab; double* X; vector<int> movie, start, n; vector<double> sgn;
  explicit Ratings(const std::string& d) {
    auto x = slurp<double>(d + "/X.f64");
    int M = int(x.size()) / D;
    tab.assign(size_t(M) * P + 8, 0.0);
    X = (double*)((uintptr_t(tab.data()) + 63) & ~uintptr_t(63));
    for (int m = 0; m < M; ++m) for (int k = 0; k < D; ++k) X[m * P + k] = x[m * D + k];
    movie = slurp<int>(d + "/movie.i32"); start = slurp<int>(d + "/start.i32"); n = slurp<int>(d + "/n.i32");
    from_zero(movie); from_zero(start);
    for (int y : slurp<int>(d + "/y.i32")) sgn.push_back(y ? 1.0 : -1.0);
    I = int(n.size());
  }
  // users [lo, hi): adds to lp and the shared gradient, writes the gradient of z
  double part(const double* q, double* gz, double* gmu, double (*gL)[D], const double (*Li)[D], int lo, int hi) const {
    const double *mu = q, *z = q + D + K;
    double lp = 0;
    alignas(64) double l[BLK], c[BLK];
    for (int i = lo; i < hi; ++i) {
      alignas(64) double zi[P] = {}, g[P] = {};
      double d[D], w[D], v[D];
      for (int k = 0; k < D; ++k) { zi[k] = z[i * D + k]; d[k] = zi[k] - mu[k]; }
      double qf = 0;
      for (int a = 0; a < D; ++a) { double s = 0; for (int b = 0; b <= a; ++b) s += Li[a][b] * d[b]; w[a] = s; qf += s * s; }
      for (int b = 0; b < D; ++b) { double s = 0; for (int a = b; a < D; ++a) s += Li[a][b] * w[a]; v[b] = s; }
      lp -= 0.5 * qf;
      for (int a = 0; a < D; ++a) { gmu[a] += v[a]; for (int b = 0; b <= a; ++b) gL[a][b] += v[a] * w[b]; }
      const int* mv = movie.data() + start[i]; const double* sg = sgn.data() + start[i];
      for (int r0 = 0; r0 < n[i]; r0 += BLK) {
        int m = std::min(BLK, n[i] - r0);
        for (int r = 0; r < m; ++r) {
          const double* x = X + size_t(mv[r0 + r]) * P;
          double s = 0;
          for (int k = 0; k < P; ++k) s += x[k] * zi[k];
          l[r] = s;
        }
        double neg = 0, prod[8] = {1, 1, 1, 1, 1, 1, 1, 1};
        for (int r = m; r < ((m + 7) & ~7); ++r) l[r] = 1e3;     // padding: exp(-1000) = 0
        for (int r = 0; r < ((m + 7) & ~7); ++r) {
          double s = r < m ? sg[r0 + r] : 1.0, t = s * l[r], e = std::exp(-std::fabs(t)), inv = 1.0 / (1.0 + e);
          neg += std::min(t, 0.0);
          c[r] = s * (t > 0 ? e : 1.0) * inv;
          l[r] = 1.0 + e;
        }
        for (int r = 0; r < ((m + 7) & ~7); r += 8) for (int k = 0; k < 8; ++k) prod[k] *= l[r + k];
        for (double p : prod) neg -= std::log(p);
        lp += neg;
        for (int r = 0; r < m; ++r) {
          const double* x = X + size_t(mv[r0 + r]) * P;
          for (int k = 0; k < P; ++k) g[k] += c[r] * x[k];
        }
      }
      for (int k = 0; k < D; ++k) gz[i * D + k] = g[k] - v[k];
    }
    return lp;
  }
  double operator()(const double* q, double* g, int threads) const {
    double L[D][D] = {}, Li[D][D] = {}, lp = 0;
    for (int a = 0, k = D; a < D; ++a) for (int b = 0; b <= a; ++b, ++k) L[a][b] = a == b ? std::exp(q[k]) : q[k];
    for (int j = 0; j < D; ++j) for (int a = j; a < D; ++a) {
      double s = a == j ? 1.0 : 0.0;
      for (int b = j; b < a; ++b) s -= L[a][b] * Li[b][j];
      Li[a][j] = s / L[a][a];
    }
    struct Acc { double lp = 0, gmu[D] = {}, gL[D][D] = {}; char pad[64]; };
    vector<Acc> acc(threads);
    auto run = [&](int t) {
      int64_t R = int64_t(movie.size()), a = R * t / threads, b = R * (t + 1) / threads;
      int lo = int(std::lower_bound(start.begin(), start.end(), a) - start.begin());
      int hi = t + 1 == threads ? I : int(std::lower_bound(start.begin(), start.end(), b) - start.begin());
      acc[t].lp = part(q, g + D + K, acc[t].gmu, acc[t].gL, Li, lo, hi);
    };
    pool->run(run);
    for (int k = 0; k < D + K; ++k) { lp -= 0.5 * q[k] * q[k]; g[k] = -q[k]; }
    for (int t = 0; t < threads; ++t) {
      lp += acc[t].lp;
      for (int k = 0; k < D; ++k) g[k] += acc[t].gmu[k];
      for (int a = 0, k = D; a < D; ++a) for (int b = 0; b <= a; ++b, ++k) g[k] += acc[t].gL[a][b] * (a == b ? L[a][a] : 1.0);
    }
    for (int a = 0, k = D; a < D; ++a) { k += a; lp -= I * q[k]; g[k] -= I; ++k; }
    return lp;
  }
};

// Varying intercepts and slopes: sums over the rows of a group give value and gradient.
struct Regression {
  int J; vector<double> x, y; vector<int> start, n;
  explicit Regression(const std::string& d)
      : x(slurp<double>(d + "/x.f64")), y(slurp<double>(d + "/y.f64")), start(slurp<int>(d + "/start.i32")), n(slurp<int>(d + "/n.i32")) { J = int(n.size()); from_zero(start); }
  double operator()(const double* q, double* g, int threads) const {
    double sa = std::exp(-q[2]), sb = std::exp(-q[3]), sy = std::exp(-q[4]);
    struct Acc { double ga = 0, gb = 0, qa = 0, qb = 0, qy = 0; char pad[64]; };
    vector<Acc> acc(threads);
    auto run = [&](int t) {
      int64_t N = int64_t(x.size());
      int lo = int(std::lower_bound(start.begin(), start.end(), N * t / threads) - start.begin());
      int hi = t + 1 == threads ? J : int(std::lower_bound(start.begin(), start.end(), N * (t + 1) / threads) - start.begin());
      Acc A; const double *a = q + 5, *b = q + 5 + J; double *Ga = g + 5, *Gb = g + 5 + J;
      for (int j = lo; j < hi; ++j) {
        double aj = a[j], bj = b[j], s0 = 0, s1 = 0, ss = 0;
        const double *xx = x.data() + start[j], *yy = y.data() + start[j];
        for (int k = 0; k < n[j]; ++k) { double r = yy[k] - aj - bj * xx[k]; s0 += r; s1 += r * xx[k]; ss += r * r; }
        double da = (aj - q[0]) * sa, db = (bj - q[1]) * sb;
        Ga[j] = s0 * sy * sy - da * sa; Gb[j] = s1 * sy * sy - db * sb;
        A.ga += da; A.gb += db; A.qa += da * da; A.qb += db * db; A.qy += ss;
      }
      acc[t] = A;
    };
    pool->run(run);
    Acc A; for (auto& t : acc) { A.ga += t.ga; A.gb += t.gb; A.qa += t.qa; A.qb += t.qb; A.qy += t.qy; }
    double N = double(x.size()); A.qy *= sy * sy;
    g[0] = -q[0] / 100 + A.ga * sa; g[1] = -q[1] / 100 + A.gb * sb;
    g[2] = -q[2] + A.qa - J; g[3] = -q[3] + A.qb - J; g[4] = -q[4] + A.qy - N;
    return -0.5 * (q[0] * q[0] / 100 + q[1] * q[1] / 100 + q[2] * q[2] + q[3] * q[3] + q[4] * q[4] + A.qa + A.qb + A.qy) - J * (q[2] + q[3]) - N * q[4];
  }
};

int main(int argc, char** argv) {
  const std::string what = argv[1], dir = argv[2];
  const int threads = argc > 5 ? atoi(argv[5]) : 1;
  Pool workers(threads);
  pool = &workers;
  auto run = [&](const auto& model, size_t dimension) {
    report("hand", dir, dimension, atof(argv[3]), argv[4],
           [&](const double* q, double* gradient) { return model(q, gradient, threads); });
  };
  if (what == "ratings") { Ratings model(dir); run(model, D + K + size_t(D) * model.I); }
  else { Regression model(dir); run(model, 5 + 2 * size_t(model.J)); }
}
