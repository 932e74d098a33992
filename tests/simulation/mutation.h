// Faults planted in the simulated program, to show that the simulator would find them.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace deeppool::simulation {

enum class Mutation : uint8_t {
  none,
  hold_kept,        // a hold is never given back
  final_lost,       // a caller is told that all is well, and no record was written
  one_unit_more,    // a charge is rounded up
  applied_twice,    // a row's posting is done again
  lease_untaken,    // an instance has a lease that no fund knows of
  grant_forgotten,  // a request's grant is not used up
};
inline constexpr std::array kMutations{Mutation::hold_kept,     Mutation::final_lost,
                                       Mutation::one_unit_more, Mutation::applied_twice,
                                       Mutation::lease_untaken, Mutation::grant_forgotten};

std::string_view to_string(Mutation mutation);

}  // namespace deeppool::simulation
