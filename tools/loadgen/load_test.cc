#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "loadgen/exchange.h"
#include "loadgen/histogram.h"
#include "loadgen/process.h"
#include "loadgen/request_text.h"

namespace deeppool::load {
namespace {

TEST(Histogram, QuantilesAreWithinOnePercent) {
  std::mt19937_64 random(1);
  std::lognormal_distribution<double> distribution(12, 2);
  Histogram histogram;
  std::vector<int64_t> values;
  for (int i = 0; i < 20'000; ++i) {
    values.push_back(static_cast<int64_t>(distribution(random)));
    histogram.add(values.back());
  }
  std::sort(values.begin(), values.end());
  for (const double q : {0.001, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const size_t rank = static_cast<size_t>(std::ceil(q * 20'000)) - 1;
    const auto exact = static_cast<double>(values[rank]);
    EXPECT_GE(static_cast<double>(histogram.quantile(q)), exact) << q;
    EXPECT_LE(static_cast<double>(histogram.quantile(q)), exact * 1.01 + 1) << q;
  }
}

TEST(Histogram, TakesAnyValue) {
  Histogram histogram;
  EXPECT_EQ(histogram.quantile(0.5), 0);
  for (const int64_t v : {int64_t{0}, int64_t{-5}, int64_t{1}, INT64_MAX}) histogram.add(v);
  EXPECT_EQ(histogram.count(), 4);
  EXPECT_EQ(histogram.quantile(0.5), 0);
  EXPECT_EQ(histogram.quantile(0.75), 1);
}

TEST(Url, IsParsed) {
  const auto target = parse_url("http://localhost:8080/v1/x");
  ASSERT_TRUE(target.ok());
  EXPECT_EQ(target->host, "localhost:8080");
  EXPECT_EQ(target->path, "/v1/x");
  EXPECT_EQ(ntohs(target->address.sin_port), 8080);
  for (const char* bad : {"https://1.2.3.4/", "http://name/", "http://1.2.3.4:x/", "1.2.3.4"}) {
    EXPECT_FALSE(parse_url(bad).ok()) << bad;
  }
}

TEST(RequestText, HasTheSizeAskedForAndTheNonce) {
  Settings settings;
  settings.body_size = 1024;
  settings.stream = true;
  const Target target = *parse_url("http://127.0.0.1:1/p");
  const std::string plain = RequestText::from(settings, target)->make({});
  EXPECT_NE(plain.find("Content-Length: 1024\r\n\r\n"), std::string::npos);
  EXPECT_EQ(plain.size() - plain.find("\r\n\r\n") - 4, 1024u);
  settings.nonce = true;
  settings.journal = "j";
  Exchange exchange;
  exchange.id = 255;
  exchange.nonce = "nonce-12";
  const std::string own = RequestText::from(settings, target)->make(exchange);
  EXPECT_NE(own.find("please: nonce-12\""), std::string::npos);
  EXPECT_NE(own.find("traceparent: 00-000000000000000000000000000000ff-"), std::string::npos);
}

TEST(Answer, UsageAndNoncesAreRead) {
  Exchange exchange;
  exchange.nonce = "nonce-ab12";
  read_usage(R"({"usage":null})", exchange);
  EXPECT_EQ(exchange.completion_tokens, -1);
  read_usage(R"({"x":1,"usage":{"prompt_tokens":7,"completion_tokens": 9,"total_tokens":16}})",
             exchange);
  EXPECT_EQ(exchange.prompt_tokens, 7);
  EXPECT_EQ(exchange.completion_tokens, 9);
  check_nonces("w nonce-ab12 nonce-ab12", exchange);
  EXPECT_TRUE(exchange.own_nonce);
  EXPECT_FALSE(exchange.foreign_nonce);
  check_nonces("nonce-ab1", exchange);
  EXPECT_TRUE(exchange.foreign_nonce);
}

TEST(Process, KnowsThisOne) {
  const auto use = process_use(getpid());
  ASSERT_TRUE(use.has_value());
  EXPECT_GT(use->resident_bytes, 1 << 20);
  EXPECT_FALSE(process_use(-1).has_value());
}

}  // namespace
}  // namespace deeppool::load
