// CRC-32C (Castagnoli): one function for everybody, and the variants behind it for the test that compares them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace odradek {

// Continues `seed`, an earlier sum; 0 starts one. Takes the fastest variant that the processor has.
uint32_t crc32c(uint32_t seed, const uint8_t* bytes, size_t length);

using CrcVariant = uint32_t (*)(uint32_t state, const uint8_t* bytes, size_t length);

// On the inner state (the sum inverted). Eight tables; works everywhere.
uint32_t crcByTable(uint32_t state, const uint8_t* bytes, size_t length);
// The processor's instruction, or null when it has none.
CrcVariant crcByInstruction();

}  // namespace odradek
