#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <string>

#include "governance/spool/crc32c.h"
#include "governance/spool/spool.h"

namespace deeppool::governance {
namespace {

FinalRecord sample() {
  FinalRecord r;
  r.model = "gpt-4o-mini-2024-07-18";
  r.upstream_request_id = "req_0123456789abcdef0123456789abcdef";
  r.usage = {1200, 340, 1024, 0, 128};
  return r;
}

void BM_EncodeAndStamp(benchmark::State& state) {
  FrameBuffer buffer;
  const FinalRecord r = sample();
  for (auto _ : state) {
    const auto frame = encode(r, buffer);
    stamp(frame, 1);
    benchmark::DoNotOptimize(frame.data());
  }
}
BENCHMARK(BM_EncodeAndStamp);

// The records of one request: hold and final, with the flushing thread on.
void BM_AppendHoldAndFinal(benchmark::State& state) {
  std::string folder = (std::filesystem::temp_directory_path() / "deeppool-bench-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) return state.SkipWithError("no temporary folder");
  base::SystemClock clock;
  base::SystemRandom random;
  SpoolSettings settings;
  settings.directory = folder;
  settings.volatile_folder = VolatileFolder::allow;
  {
    auto spool = Spool::open(settings, clock, random);
    if (!spool) return state.SkipWithError(spool.error().message.c_str());
    auto writer = (*spool)->writer(0);
    HoldRecord hold;
    hold.model = "gpt-4o-mini-2024-07-18";
    const FinalRecord r = sample();
    for (auto _ : state) {
      (void)writer->append_hold(hold);
      writer->append_final(r);
    }
  }
  std::filesystem::remove_all(folder);
}
BENCHMARK(BM_AppendHoldAndFinal)->Iterations(400'000);

}  // namespace
}  // namespace deeppool::governance
