#include "gateway/responses.h"

#include "llm/responses/encoder.h"
#include "llm/responses/request.h"

namespace deeppool::gateway {

Result<HouseRequest> responses_to_house(const http::Exchange& x) {
  DP_TRY(llm::responses::HouseBody house, llm::responses::to_house(x.body));
  HouseRequest request;
  request.body = std::move(house.body);
  request.encoder =
      std::make_unique<llm::responses::ResponsesEncoder>(answer_id(x), std::move(house.asked));
  return request;
}

}  // namespace deeppool::gateway
