// What the C++ programs share: reading raw arrays, timing a gradient, and the report that compare.py reads.
#pragma once
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

template <class T> std::vector<T> slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::vector<T> values(size_t(file.tellg()) / sizeof(T));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(values.data()), values.size() * sizeof(T));
  return values;
}

inline double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// `evaluate(position, gradient)` gives the log density. Times `blocks` blocks of evaluations at the first point that together
// take about `seconds`.
template <class Evaluate>
void report(const char* what, const std::string& dir, size_t dimension, double seconds, const std::string& gradient_file,
            const Evaluate& evaluate) {
  const auto points = slurp<double>(dir + "/points.f64");
  if (points.size() != 2 * dimension) throw std::runtime_error("points.f64 is not two points of this model");
  std::vector<double> gradients(2 * dimension);
  double log_density[2];
  for (int k = 0; k < 2; ++k) log_density[k] = evaluate(&points[k * dimension], &gradients[k * dimension]);
  if (!gradient_file.empty())
    std::ofstream(gradient_file, std::ios::binary)
        .write(reinterpret_cast<const char*>(gradients.data()), gradients.size() * sizeof(double));
  constexpr int blocks = 7;
  double start = now();
  evaluate(points.data(), gradients.data());
  const int repeats = std::max(1, int(seconds / blocks / (now() - start)));
  std::vector<double> times;
  for (int block = 0; block < blocks; ++block) {
    start = now();
    for (int r = 0; r < repeats; ++r) evaluate(points.data(), gradients.data());
    times.push_back((now() - start) / repeats);
  }
  std::sort(times.begin(), times.end());
  printf("{\"what\": \"%s\", \"log_density\": [%.17g, %.17g], \"median_s\": %.6g, \"min_s\": %.6g, \"max_s\": %.6g}\n", what,
         log_density[0], log_density[1], times[blocks / 2], times.front(), times.back());
}
