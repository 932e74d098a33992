// Counts what a translated stream takes from the heap: nothing per event, once it is under way.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "provider/adapter.h"
#include "testing/fake_clock.h"

namespace {
thread_local size_t allocations = 0;
}  // namespace

void* operator new(size_t size) {
  ++allocations;
  if (void* p = std::malloc(size == 0 ? 1 : size)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept {
  std::free(p);
}
void operator delete(void* p, size_t) noexcept {
  std::free(p);
}

namespace deeppool::provider {
namespace {

TEST(Allocations, NonePerTranslatedEvent) {
  const testing::FakeClock clock;
  const Adapters adapters(clock);
  Endpoint endpoint;
  endpoint.provider_type = "gemini";
  const llm::RequestView view;
  const auto translator = adapters.of(endpoint).translator(view);
  const json::PaddedBytes event(
      R"({"candidates":[{"content":{"parts":[{"text":" token"}],"role":"model"},"index":0}],)"
      R"("usageMetadata":{"promptTokenCount":8,"candidatesTokenCount":2,"totalTokenCount":10},)"
      R"("modelVersion":"gemini-2.5-flash","responseId":"mAItaLegLPrAqtsP6vCGkAs"})");
  HouseEvents house;
  const auto feed = [&](int times) {
    for (int i = 0; i < times; ++i) {
      house.clear();
      ASSERT_EQ(translator->feed({"", event.view()}, house), StreamTranslator::Verdict::more);
      ASSERT_EQ(house.size(), 1u);
    }
  };
  feed(10);
  const size_t before = allocations;
  feed(100);
  EXPECT_EQ(allocations - before, 0u);
  EXPECT_GT(before, 0u);  // the count works
}

}  // namespace
}  // namespace deeppool::provider
