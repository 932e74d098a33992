#include "llm/responses/request.h"

#include "llm/responses/request_writer.h"

namespace deeppool::llm::responses {

Result<HouseBody> to_house(const json::PaddedBytes& request) {
  DP_TRY(const json::ShallowObject fields, read_body(request));
  RequestWriter writer(fields);
  if (!writer.write()) return writer.path().error();
  HouseBody house;
  house.body.append(writer.text());
  house.asked = std::move(writer.asked());
  return house;
}

}  // namespace deeppool::llm::responses
