// Stan's log density and gradient of one generated model, with no interpreter around it.
//   use: DRIVER DATA_DIR SECONDS [GRADIENT_FILE]      (build: build_stan.py)
// Prints one JSON object: log densities at the two points of DATA_DIR/points.f64 (without constants, with Jacobians) and
// seconds of one value and gradient; writes the gradients at both points to GRADIENT_FILE as raw f64.
#include MODEL_CPP
#include <stan/callbacks/stream_logger.hpp>
#include <stan/io/array_var_context.hpp>
#include <stan/model/gradient.hpp>
#include <chrono>
#include <fstream>
#include <iostream>
#include <sstream>
#include "timing.hpp"

// DATA_DIR/arrays.txt has a line for each array: name, f64 or i32, sizes. Arrays are raw, rows first; Stan wants columns first.
static stan::io::array_var_context load(const std::string& dir) {
  std::vector<std::string> real_names, int_names;
  std::vector<double> reals;
  std::vector<int> ints;
  std::vector<std::vector<size_t>> real_sizes, int_sizes;
  std::ifstream manifest(dir + "/arrays.txt");
  for (std::string line; std::getline(manifest, line);) {
    std::istringstream words(line);
    std::string name, kind;
    words >> name >> kind;
    std::vector<size_t> sizes;
    for (size_t size; words >> size;) sizes.push_back(size);
    if (kind == "i32") {
      int_names.push_back(name);
      int_sizes.push_back(sizes);
      for (int value : slurp<int>(dir + "/" + name + ".i32")) ints.push_back(value);
      continue;
    }
    auto values = slurp<double>(dir + "/" + name + ".f64");
    real_names.push_back(name);
    real_sizes.push_back(sizes);
    size_t columns = sizes.size() == 2 ? sizes[1] : 1, rows = values.size() / columns;
    for (size_t c = 0; c < columns; ++c)
      for (size_t r = 0; r < rows; ++r) reals.push_back(values[r * columns + c]);
  }
  return stan::io::array_var_context(real_names, reals, real_sizes, int_names, ints, int_sizes);
}

int main(int argc, char** argv) {
  const std::string dir = argv[1];
  auto data = load(dir);
  stan_model model(data, 1, &std::cerr);
  stan::callbacks::stream_logger logger(std::cerr, std::cerr, std::cerr, std::cerr, std::cerr);
  Eigen::VectorXd position(model.num_params_r()), out(model.num_params_r());
  report("stan", dir, model.num_params_r(), std::stod(argv[2]), argc > 3 ? argv[3] : "",
         [&](const double* q, double* gradient) {
           position = Eigen::Map<const Eigen::VectorXd>(q, position.size());
           double log_density = 0;
           stan::model::gradient(model, position, log_density, out, logger);
           Eigen::Map<Eigen::VectorXd>(gradient, out.size()) = out;
           return log_density;
         });
}
