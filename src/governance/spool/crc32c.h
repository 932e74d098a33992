// CRC-32C (Castagnoli; RFC 3720 appendix B.4 has the vectors): the checksum of spool records. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace deeppool::governance {

// Continues from `crc` (0 to begin): crc32c(b, crc32c(a)) == crc32c(a + b).
uint32_t crc32c(std::string_view bytes, uint32_t crc = 0);

// The table version, whatever the processor offers; for machines without the instruction, and
// tests.
uint32_t crc32c_portable(std::string_view bytes, uint32_t crc = 0);

}  // namespace deeppool::governance
