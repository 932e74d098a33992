#include "gateway/media_urls.h"

#include <gtest/gtest.h>

namespace deeppool::gateway {
namespace {

constexpr std::string_view kBody =
    R"({"messages":[{"role":"user","content":"https://no.example/in-text"},)"
    R"({"role":"user","content":[{"type":"text","text":"https://no.example"},)"
    R"({"type":"image_url","image_url":{"detail":"low","url":"https://a.example/x.png"}},)"
    R"({"type":"image_url","image_url":"HTTP:\/\/b.example\/y"},)"
    R"({"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}},)"
    R"({"type":"image_url","image_url":{"url":"https://wanted-by-nobody.example/"}},)"
    R"({"type":"file","file":{"file_data":"https://c.example/z.pdf","filename":"z"}}]}]})";

TEST(MediaUrls, AreFoundAndReplaced) {
  const json::PaddedBytes body(kBody);
  const auto places = find_media_urls(
      body, [](std::string_view url) { return url.find("nobody") == std::string_view::npos; });
  ASSERT_EQ(places.size(), 3u);
  EXPECT_EQ(places[0].param, "messages[1].content[1].image_url.url");
  EXPECT_EQ(places[0].url, "https://a.example/x.png");
  EXPECT_EQ(places[1].param, "messages[1].content[2].image_url");
  EXPECT_EQ(places[1].url, "HTTP://b.example/y");
  EXPECT_EQ(places[2].param, "messages[1].content[5].file.file_data");
  const auto made = with_data_urls(
      body, places, {"data:image/png;base64,AA", "data:image/gif;base64,BB", "data:x/y;base64,CC"});
  std::string expected(kBody);
  const auto put = [&](std::string_view old, std::string_view data_url) {
    expected.replace(expected.find(old), old.size(), data_url);
  };
  put("https://a.example/x.png", "data:image/png;base64,AA");
  put(R"(HTTP:\/\/b.example\/y)", "data:image/gif;base64,BB");
  put("https://c.example/z.pdf", "data:x/y;base64,CC");
  EXPECT_EQ(made.view(), expected);
}

TEST(MediaUrls, WhereThereAreNone) {
  const auto any = [](std::string_view) { return true; };
  for (const std::string_view text :
       {R"({"messages":[{"role":"user","content":"x"}]})", R"({"messages":[1,{"content":[2]}]})",
        R"({"prompt":"https://x.example"})"}) {
    EXPECT_TRUE(find_media_urls(json::PaddedBytes(text), any).empty()) << text;
  }
}

}  // namespace
}  // namespace deeppool::gateway
