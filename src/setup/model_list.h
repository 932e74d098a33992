// An upstream's own list of models: how it is asked for and how it is read, in every dialect. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "provider/catalog.h"

namespace deeppool::setup {

struct ListedModel {
  std::string id;          // what requests call it
  std::string name;        // for people; empty if the upstream gives none
  int64_t context = 0;     // tokens; 0: not said
  int64_t max_output = 0;  // tokens; 0: not said
};

// A complete head of a GET with the endpoint's key.
std::string model_list_head(const provider::Endpoint& endpoint);

// Errors: upstream_failed for what is no list of models.
Result<std::vector<ListedModel>> read_model_list(std::string_view json);

}  // namespace deeppool::setup
