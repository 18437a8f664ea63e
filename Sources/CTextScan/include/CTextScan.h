// Finding single bytes in text, 64 at a time, as bits of a word. C because Swift has no instruction that gathers the
// results of a vector comparison into bits. No state, no allocation; inlined into the Swift that calls it.
#ifndef WATERBEAR_CTEXTSCAN_H
#define WATERBEAR_CTEXTSCAN_H

#include <stdint.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/// Bit i is set where bytes[i] is `first` or `second`. Reads exactly 64 bytes, at any alignment.
static inline uint64_t wb_match_two(const uint8_t *bytes, uint8_t first, uint8_t second) {
#if defined(__SSE2__)
  const __m128i a = _mm_set1_epi8((char)first);
  const __m128i b = _mm_set1_epi8((char)second);
  uint64_t result = 0;
  for (int lane = 0; lane < 4; lane++) {
    const __m128i block = _mm_loadu_si128((const __m128i *)(bytes + 16 * lane));
    const __m128i equal = _mm_or_si128(_mm_cmpeq_epi8(block, a), _mm_cmpeq_epi8(block, b));
    result |= (uint64_t)(uint16_t)_mm_movemask_epi8(equal) << (16 * lane);
  }
  return result;
#else
  uint64_t result = 0;
  for (int index = 0; index < 64; index++) {
    result |= (uint64_t)(bytes[index] == first || bytes[index] == second) << index;
  }
  return result;
#endif
}

/// Bit i is set where bytes[i] is no ASCII. Reads exactly 64 bytes, at any alignment.
static inline uint64_t wb_match_high(const uint8_t *bytes) {
#if defined(__SSE2__)
  uint64_t result = 0;
  for (int lane = 0; lane < 4; lane++) {
    const __m128i block = _mm_loadu_si128((const __m128i *)(bytes + 16 * lane));
    result |= (uint64_t)(uint16_t)_mm_movemask_epi8(block) << (16 * lane);
  }
  return result;
#else
  uint64_t result = 0;
  for (int index = 0; index < 64; index++) result |= (uint64_t)(bytes[index] >> 7) << index;
  return result;
#endif
}

#endif
