#include "webapi/csv.h"

#include <gtest/gtest.h>

namespace deeppool::webapi {
namespace {

TEST(CsvText, QuotesAndNeutralises) {
  const struct {
    const char* cell;
    const char* text;
  } cases[] = {
      {"plain", "plain"},
      {"", ""},
      {"a,b", "\"a,b\""},
      {"say \"no\"", "\"say \"\"no\"\"\""},
      {"two\r\nlines", "\"two\r\nlines\""},
      {"=HYPERLINK(\"http://x\")", "\"'=HYPERLINK(\"\"http://x\"\")\""},
      {"=1+1", "'=1+1"},
      {"+86", "'+86"},
      {"-1", "'-1"},
      {"@SUM(A1)", "'@SUM(A1)"},
      {"\t=1", "'\t=1"},
      {"\n=1", "\"'\n=1\""},
      {"a=b", "a=b"},
      {" =1", " =1"},
      {"模型", "模型"},
  };
  for (const auto& c : cases) {
    CsvText csv;
    csv.cell(c.cell);
    EXPECT_EQ(csv.take(), c.text);
  }
}

TEST(CsvText, RowsEndInCrLfAndBeginWithoutAComma) {
  CsvText csv;
  csv.row({"a", "b"});
  csv.cell(12);
  csv.cell("");
  csv.end_row();
  EXPECT_EQ(csv.take(), "a,b\r\n12,\r\n");
  csv.cell("next");
  EXPECT_EQ(csv.take(), "next");
}

}  // namespace
}  // namespace deeppool::webapi
