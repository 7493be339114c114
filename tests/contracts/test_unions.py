"""What a verb answers can be selected beside its refusal without aliases."""

from graphql import GraphQLObjectType, GraphQLUnionType

from schema.build import build


def test_no_answer_shares_a_field_with_refusal_under_another_type() -> None:
    types = build()._schema.type_map
    refusal = types["Refusal"]
    assert isinstance(refusal, GraphQLObjectType)
    unions = [
        each
        for each in types.values()
        if isinstance(each, GraphQLUnionType) and refusal in each.types
    ]
    clashes = {
        f"{member.name}.{name}"
        for union in unions
        for member in union.types
        for name, field in member.fields.items()
        if name in refusal.fields
        and str(field.type) != str(refusal.fields[name].type)
        and not field.deprecation_reason
    }
    assert len(unions) > 60
    assert clashes == set(), "such fields cannot be selected beside Refusal: give them another name"
