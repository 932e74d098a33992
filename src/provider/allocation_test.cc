// Counts what a translated stream takes from the heap: nothing per event, once it is under way.
#include "provider/adapter.h"
#include "testing/allocations.h"
#include "testing/fake_clock.h"

namespace deeppool::provider {
namespace {

using testing::Allocations;

TEST_F(Allocations, NonePerTranslatedEvent) {
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
  const size_t before = count();
  feed(100);
  EXPECT_EQ(count() - before, 0u);
  EXPECT_GT(before, 0u);  // the count works
}

}  // namespace
}  // namespace deeppool::provider
