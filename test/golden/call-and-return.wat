;; 381 nodes, 32 locals, 839 bytes
;;
;; 000  mov edi, 0x5
;; 005  call 0xe
;; 00a  add eax, 0x1
;; 00d  ret
;; 00e  push rbx
;; 00f  mov ebx, edi
;; 011  lea eax, [rbx+rbx]
;; 014  pop rbx
;; 015  ret

(module
  (type $t0 (func (param i32) (result i32)))
  (import "env" "memory" (memory $env.memory 1536 65536 shared))
  (func $region (type $t0) (param $p0 i32) (result i32)
    (local $l1 i64) (local $l2 i64) (local $l3 i64) (local $l4 i64) (local $l5 i64) (local $l6 i64) (local $l7 i64) (local $l8 i64) (local $l9 i64) (local $l10 i64) (local $l11 i64) (local $l12 i64) (local $l13 i64) (local $l14 i64) (local $l15 i64) (local $l16 i64) (local $l17 i64) (local $l18 i64) (local $l19 i32) (local $l20 i32) (local $l21 i32) (local $l22 i32) (local $l23 i32) (local $l24 i32) (local $l25 i32) (local $l26 i32) (local $l27 i32) (local $l28 i32) (local $l29 i32) (local $l30 i32) (local $l31 i32) (local $l32 i32)
    local.get $p0
    i32.load offset=168 align=1
    local.set $l19
    local.get $p0
    i64.load offset=152 align=1
    local.set $l5
    local.get $p0
    i32.load offset=160 align=1
    local.set $l20
    local.get $p0
    i64.load align=1
    local.set $l6
    local.get $p0
    i64.load offset=24 align=1
    local.set $l3
    local.get $p0
    i64.load offset=56 align=1
    drop
    block $B0
      block $B1
        block $B2
          i64.const 5
          local.set $l13
          local.get $p0
          i64.load offset=144 align=1
          local.tee $l4
          i64.const 10
          i64.add
          local.set $l15
          local.get $p0
          i32.load offset=180 align=1
          local.tee $l21
          local.get $p0
          i64.load offset=32 align=1
          local.tee $l1
          i64.const 8
          i64.sub
          local.tee $l9
          i32.wrap_i64
          i32.const 8
          i32.shr_u
          i32.const 65520
          i32.and
          i32.add
          local.tee $l27
          i64.load offset=65536 align=1
          local.get $l9
          i64.const 7
          i64.add
          i64.const -4096
          i64.and
          i64.eq
          i32.eqz
          if $I3
            i64.const 83951617
            local.set $l2
            br $B0
          end
          local.get $l9
          i32.wrap_i64
          local.get $l27
          i32.load offset=65544 align=1
          i32.add
          local.get $l15
          i64.store align=1
          local.get $l19
          i32.const 2
          i32.sub
          local.set $l19
          local.get $l3
          local.set $l16
          local.get $l21
          local.get $l9
          local.tee $l1
          i64.const 8
          i64.sub
          local.tee $l10
          i32.wrap_i64
          i32.const 8
          i32.shr_u
          i32.const 65520
          i32.and
          i32.add
          local.tee $l28
          i64.load offset=65536 align=1
          local.get $l10
          i64.const 7
          i64.add
          i64.const -4096
          i64.and
          i64.eq
          i32.eqz
          if $I4
            i64.const 234946560
            local.set $l2
            br $B0
          end
          local.get $l10
          i32.wrap_i64
          local.get $l28
          i32.load offset=65544 align=1
          i32.add
          local.get $l16
          i64.store align=1
          local.get $l13
          i32.wrap_i64
          i64.extend_i32_u
          local.tee $l3
          local.get $l3
          i64.add
          i32.wrap_i64
          i64.extend_i32_u
          local.set $l6
          local.get $l21
          local.get $l10
          local.tee $l1
          local.tee $l17
          i32.wrap_i64
          i32.const 8
          i32.shr_u
          i32.const 65520
          i32.and
          i32.add
          local.tee $l29
          i64.load align=1
          local.get $l1
          i64.const 7
          i64.add
          i64.const -4096
          i64.and
          i64.eq
          i32.eqz
          if $I5
            i64.const 335609859
            local.set $l2
            br $B0
          end
          local.get $l17
          i32.wrap_i64
          local.get $l29
          i32.load offset=8 align=1
          i32.add
          i64.load align=1
          local.set $l3
          local.get $l21
          local.get $l1
          i64.const 8
          i64.add
          local.tee $l1
          local.tee $l14
          i32.wrap_i64
          i32.const 8
          i32.shr_u
          i32.const 65520
          i32.and
          i32.add
          local.tee $l30
          i64.load align=1
          local.get $l14
          i64.const 7
          i64.add
          i64.const -4096
          i64.and
          i64.eq
          i32.eqz
          if $I6
            i64.const 352387076
            local.set $l2
            br $B0
          end
          local.get $l14
          i32.wrap_i64
          local.get $l30
          i32.load offset=8 align=1
          i32.add
          i64.load align=1
          local.tee $l11
          i64.const 16
          i64.shl
          i64.const 16
          i64.shr_s
          local.get $l11
          i64.ne
          if $I7
            i64.const 352387076
            local.set $l2
            br $B0
          end
          local.get $l1
          i64.const 8
          i64.add
          local.set $l1
          local.get $l19
          i32.const 5
          i32.sub
          local.set $l19
          local.get $l11
          local.get $l4
          i64.const 10
          i64.add
          i64.eq
          if $I8
            local.get $l5
            local.set $l7
            local.get $l20
            i64.extend_i32_u
            local.set $l8
            i32.const 0
            local.set $l22
            loop $L9
              local.get $l6
              i32.wrap_i64
              i32.const 1
              i32.add
              local.tee $l23
              i64.extend_i32_u
              local.set $l6
              local.get $l21
              local.get $l1
              local.tee $l18
              i32.wrap_i64
              i32.const 8
              i32.shr_u
              i32.const 65520
              i32.and
              i32.add
              local.tee $l31
              i64.load align=1
              local.get $l1
              i64.const 7
              i64.add
              i64.const -4096
              i64.and
              i64.eq
              i32.eqz
              if $I10
                i64.const 218169345
                local.set $l2
                br $B2
              end
              local.get $l18
              i32.wrap_i64
              local.get $l31
              i32.load offset=8 align=1
              i32.add
              i64.load align=1
              local.tee $l12
              i64.const 16
              i64.shl
              i64.const 16
              i64.shr_s
              local.get $l12
              i64.ne
              if $I11
                i64.const 218169345
                local.set $l2
                br $B2
              end
              local.get $l1
              i64.const 8
              i64.add
              local.set $l1
              local.get $l19
              i32.const 2
              i32.sub
              local.set $l19
              local.get $l12
              local.get $l4
              i64.const 10
              i64.add
              i64.eq
              if $I12
                local.get $l19
                i32.const 9
                i32.lt_s
                if $I13
                  i64.const 167772160
                  local.set $l2
                  br $B2
                end
                local.get $l23
                i64.extend_i32_u
                local.set $l7
                i64.const 1
                local.set $l8
                i32.const 14
                local.set $l22
                br $L9
              else
                local.get $l12
                local.set $l4
                i64.const 0
                local.set $l2
                br $B2
              end
              unreachable
            end
            unreachable
          else
            local.get $l11
            local.set $l4
            i64.const 0
            local.set $l2
            br $B0
          end
          unreachable
        end
        local.get $l23
        i64.extend_i32_u
        local.set $l7
        i64.const 1
        local.set $l8
        i32.const 14
        local.set $l22
        br $B1
      end
      local.get $l22
      i32.const 0
      i32.eq
      if $I14
        local.get $l7
        local.set $l5
        local.get $l8
        i32.wrap_i64
        local.set $l20
      else
        local.get $l7
        i32.wrap_i64
        local.tee $l24
        local.get $l8
        i32.wrap_i64
        local.tee $l25
        i32.sub
        local.tee $l32
        local.get $l25
        i32.and
        local.get $l32
        local.get $l25
        i32.or
        local.get $l24
        i32.const -1
        i32.xor
        i32.and
        i32.or
        local.set $l26
        local.get $l24
        i64.extend_i32_s
        local.set $l5
        local.get $l26
        i32.const -1073741824
        i32.and
        local.get $l26
        i32.const 8
        i32.and
        i32.or
        local.set $l20
      end
    end
    local.get $p0
    local.get $l4
    local.get $l2
    i64.const 24
    i64.shr_s
    i64.add
    i64.store offset=136 align=1
    local.get $p0
    local.get $l19
    local.get $l2
    i32.wrap_i64
    i32.const 65535
    i32.and
    i32.sub
    local.tee $l19
    i32.store offset=168 align=1
    local.get $p0
    local.get $l5
    i64.store offset=152 align=1
    local.get $p0
    local.get $l20
    i32.store offset=160 align=1
    local.get $p0
    local.get $l6
    i64.store align=1
    local.get $p0
    local.get $l3
    i64.store offset=24 align=1
    local.get $p0
    local.get $l1
    i64.store offset=32 align=1
    local.get $p0
    local.get $l13
    i64.store offset=56 align=1
    local.get $l2
    i32.wrap_i64
    i32.const 16
    i32.shr_u
    i32.const 255
    i32.and
    return)
  (export "region" (func $region)))
